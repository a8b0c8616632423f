/** Every key of a policy, an SLO and a binding, for guesses. */
const KEYS = [
  ...['kind', 'metadata', 'name', 'version', 'spec', 'autonomy', 'scope', 'environments', 'services', 'match', 'slis'],
  ...['cause', 'conditions', 'expression', 'message', 'action', 'type', 'ttlSeconds', 'limits', 'cooldownSeconds'],
  ...['maxPerHour', 'maxTrafficRatio', 'systemicStopRatio', 'freshnessSeconds', 'maxServices', 'verify'],
  ...['stabilizeSeconds', 'windowSeconds', 'limit', 'release', 'freeze', 'days', 'from', 'until', 'reason', 'approval'],
  ...['expiresSeconds', 'environment', 'service', 'objectiveRatio', 'windowDays', 'target', 'driver', 'fencing'],
  ...['sli', 'thresholdMs'],
];
const DISTANCE_MAX = 3;

/** The known key that a mistyped one is nearest to, or `undefined` where none is near. */
export function nearest(key: string, among: readonly string[] = KEYS): string | undefined {
  const ranked = among.map((known) => ({ known, distance: distance(key.toLowerCase(), known.toLowerCase()) }));
  ranked.sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  // Of a short word everything is near.
  return best !== undefined && best.distance <= Math.min(DISTANCE_MAX, key.length / 2) ? best.known : undefined;
}

/** Levenshtein distance, the usual two rows. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
