/**
 * Evidence that can be looked at any time: each function gives the natural logarithms by which so many bets on
 * "it is worse" grow with new observations, while the odds are those of "it is no worse". The mean of such
 * products is an e-process: under the null hypothesis it exceeds 1/alpha, ever, with probability at most alpha.
 *
 * Source: G. Shafer, V. Vovk, "Game-theoretic foundations for probability and finance" (2019); P. Grünwald, R. de
 * Heide, W. Koolen, "Safe testing" (2024); for two streams, conditioning on the total as in R. Turner, A. Ly,
 * P. Grünwald, "Generic e-variables for exact sequential k-sample tests" (2024).
 */

/** Bets on the rate being so many times the expected one. */
const RATE_MULTIPLES = [2, 4, 8, 16, 32, 64];
/** Bets on the odds ratio between two streams. */
const ODDS_RATIOS = [2, 4, 8, 16, 32, 64];
/** An odds ratio up to this is no worse. */
const NULL_ODDS_RATIO = 1.25;
/** Rates that are bet on stay away from certainty: one good request must not ruin every bet. */
const RATE_MAX = 0.9;

/** How many bets there are in each comparison. */
export const BETS = RATE_MULTIPLES.length;

/** Bets that a rate exceeds `rate` (0 to 1, exclusive), after `bad` and `good` more observations. */
export function rateBets(bad: number, good: number, rate: number): readonly number[] {
  return RATE_MULTIPLES.map((multiple) => {
    const worse = Math.min(Math.max(RATE_MAX, rate), rate * multiple);
    return bad * Math.log(worse / rate) + good * Math.log((1 - worse) / (1 - rate));
  });
}

/** Shares of the expected count that are bet on, when fewer are trouble. */
const DROP_SHARES = [0.7, 0.5, 0.3, 0.15, 0.05, 0.01];

/** Bets that a count is so many times the one that is expected, both Poisson. `expected` is above 0. */
export function countBets(count: number, expected: number): readonly number[] {
  return RATE_MULTIPLES.map((multiple) => count * Math.log(multiple) - expected * (multiple - 1));
}

/** Bets that a count is such a share of the one that is expected, both Poisson. `expected` is above 0. */
export function dropBets(count: number, expected: number): readonly number[] {
  return DROP_SHARES.map((share) => count * Math.log(share) + expected * (1 - share));
}

/** Two streams side by side: bad ones and all of each. */
export interface TwoStreams {
  readonly bad: number;
  readonly total: number;
  readonly controlBad: number;
  readonly controlTotal: number;
}

/**
 * Bets that the first stream's odds of a bad one exceed those of the control by more than a quarter. Given all bad
 * ones, under equal odds each is the first stream's with its share of the traffic: what the common rate is, and how
 * it drifts, does not matter.
 */
export function shareBets({ bad, total, controlBad, controlTotal }: TwoStreams): readonly number[] {
  const shareAt = (odds: number) => (odds * total) / (odds * total + controlTotal);
  const share = shareAt(NULL_ODDS_RATIO);
  if (total === 0 || controlTotal === 0) return ODDS_RATIOS.map(() => 0);
  return ODDS_RATIOS.map((odds) => {
    const more = shareAt(odds);
    return bad * Math.log(more / share) + controlBad * Math.log((1 - more) / (1 - share));
  });
}

/**
 * The bet that a rate is `rate` rather than `worseRate` or above: evidence of health. Grows with good ones.
 *
 * @param rates - both above 0 and below 1, or a bet can be lost for ever, and what was not put is no number.
 * @returns natural logarithm of the factor by which it grows.
 */
export function healthBet(
  bad: number,
  good: number,
  rates: { readonly rate: number; readonly worseRate: number },
): number {
  const { rate, worseRate } = rates;
  return bad * Math.log(rate / worseRate) + good * Math.log((1 - rate) / (1 - worseRate));
}

/** log10 of the mean of bets that are given by their natural logarithms: the e-value. */
export function log10Mean(logs: readonly number[]): number {
  const most = Math.max(...logs);
  const sum = logs.reduce((total, log) => total + Math.exp(log - most), 0);
  return (most + Math.log(sum / logs.length)) / Math.LN10;
}
