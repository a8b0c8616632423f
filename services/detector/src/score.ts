/**
 * How sure, 0 to 1, from evidence: log10 of an e-value, or −log10 of a tail probability. It is 0.5 where a series begins to
 * signal, and x / (1 + x) at x times that evidence, as the score of a gauge: so unlike series compare.
 */
export function scoreOf(log10E: number, alarmLog10E: number): number {
  const evidence = Math.max(0, log10E);
  return evidence / (evidence + alarmLog10E);
}
