/** Callers of each service, by name: the service graph of an environment. */
export type Callers = ReadonlyMap<string, readonly string[]>;

/** Whether `caller` calls `callee`, by however many others. A service calls itself. */
export function reaches(callers: Callers, caller: string, callee: string): boolean {
  return ancestorsOf(callers, callee).has(caller);
}

/** Whether one of two calls the other, by however many others. Where no call is known at all, it may. */
export function isCallOf(callers: Callers, a: string, b: string): boolean {
  return callers.size === 0 || reaches(callers, a, b) || reaches(callers, b, a);
}

/** A service with all that call it, by however many others. */
function ancestorsOf(callers: Callers, service: string): ReadonlySet<string> {
  const found = new Set([service]);
  for (const each of found) for (const caller of callers.get(each) ?? []) found.add(caller);
  return found;
}

/** Services that a service calls itself. */
export function calleesOf(callers: Callers, service: string): readonly string[] {
  return [...callers]
    .filter(([callee, list]) => callee !== service && list.includes(service))
    .map(([callee]) => callee);
}

/**
 * Whether trouble of one may be trouble of the other: one calls the other, or something calls both. Where no call is known at
 * all, anything may.
 */
export function areRelated(callers: Callers, a: string, b: string): boolean {
  if (callers.size === 0) return true;
  const above = ancestorsOf(callers, a);
  for (const each of ancestorsOf(callers, b)) if (above.has(each)) return true;
  return false;
}
