/** Standard normal quantile of 95 %. */
const Z = 1.6449;

/**
 * The highest rate that `bad` of `total` observations leave plausible: the upper end of Wilson's one-sided interval at 95 %. 1 where there is nothing to go by.
 * Counts may be fractions, as of old observations that have faded.
 *
 * Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference" (1927).
 */
export function rateBound(bad: number, total: number): number {
  if (total <= 0) return 1;
  const rate = bad / total;
  const spread = Z * Math.sqrt((rate * (1 - rate)) / total + Z ** 2 / (4 * total ** 2));
  return (rate + Z ** 2 / (2 * total) + spread) / (1 + Z ** 2 / total);
}
