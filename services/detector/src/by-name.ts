/**
 * State by a name that telemetry chose. It has no prototype: on a plain object `constructor` and `toString` are there before anybody
 * has put them, and `__proto__` is never put.
 *
 * @param saved - as a snapshot holds it.
 */
export function byName<T>(saved: Readonly<Record<string, T>> = {}): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, saved);
}
