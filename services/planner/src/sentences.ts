import type { Objective, Sli, SliAssessment } from '@flyball/contracts';
import { HOUR_MS } from '@flyball/core';

const DAY_MS = 24 * HOUR_MS;

/** A ratio as a percentage for people: `17.6 %`. */
export function percent(ratio: number): string {
  const value = ratio * 100;
  return `${value >= 10 ? value.toFixed(0) : value.toFixed(1)} %`;
}

/** A number with its unit for people: `17.6 %`, `120 ms`, `3.4 By`. */
export function amount(value: number, unit: string): string {
  if (unit === '1') return percent(value);
  if (unit === 'ms') return `${value.toFixed(0)} ms`;
  const text =
    Math.abs(value) >= 1_000 || Number.isInteger(value) ? value.toFixed(0) : String(Number(value.toPrecision(3)));
  return unit === '' ? text : `${text} ${unit.replace(/^\{(.*)\}$/, '$1')}`;
}

/** A time span for people: `7.2 s`. */
export function seconds(spanMs: number): string {
  const value = spanMs / 1_000;
  return `${Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(1)} s`;
}

/** A reading of an SLI, with its unit. */
export function reading(sli: Sli, value: number | null): string {
  if (value === null) return 'nothing';
  return sli === 'errors' ? percent(value) : `${value.toFixed(0)} ms`;
}

/** What was seen of an SLI, against what, on how many requests: one clause for people. */
export function evidence(what: string, sli: Sli, { observed, expected, requests, log10E }: SliAssessment): string {
  const name = sli === 'errors' ? 'errors' : 'p95';
  const numbers = `${reading(sli, observed)} against ${reading(sli, expected)}`;
  return `${what} ${name} ${numbers} (n=${requests}, evidence 10^${log10E.toFixed(1)})`;
}

/** An objective for people: `objective 99.9 % within 300 ms over 30 d`. */
export function objectiveText({ objectiveRatio, thresholdMs, windowMs }: Objective): string {
  const share = Number((objectiveRatio * 100).toPrecision(9));
  const good = thresholdMs === null ? 'without error' : `within ${thresholdMs} ms`;
  return `objective ${share} % ${good} over ${Number((windowMs / DAY_MS).toPrecision(3))} d`;
}
