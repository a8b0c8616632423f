/**
 * Values of a metric of a process, one per label set.
 *
 * @param health - base URL of its `/metrics`. @throws when it does not answer within `timeoutMs`.
 */
export async function metricValues(health: string, name: string, timeoutMs = 20_000): Promise<readonly number[]> {
  const response = await fetch(`${health}/metrics`, { signal: AbortSignal.timeout(timeoutMs) });
  const found = (await response.text()).matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'));
  return [...found].map(([, value]) => Number(value));
}
