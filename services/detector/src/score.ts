/**
 * How sure, 0 to 1, from evidence: log10 of an e-value, or −log10 of a tail probability. It is 0.5 where a series begins to
 * signal, and half of what is left is gone with each time that evidence again: so unlike series compare.
 */
export function scoreOf(log10E: number, alarmLog10E: number): number {
  return 1 - 2 ** (-Math.max(0, log10E) / alarmLog10E);
}
