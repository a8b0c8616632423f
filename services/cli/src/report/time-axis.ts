import { HOUR_MS, MINUTE_MS, rfc3339 } from '@flyball/core';
import { html, type Markup } from './markup.ts';

const TICKS_MAX = 6;
const STEPS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((hours) => hours * HOUR_MS),
];

/** A stretch of time as the width of a picture. */
export class TimeAxis {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly ticksMs: readonly number[];

  constructor(fromMs: number, untilMs: number) {
    this.fromMs = fromMs;
    this.untilMs = Math.max(untilMs, fromMs + MINUTE_MS);
    const spanMs = this.untilMs - this.fromMs;
    const stepMs = STEPS_MS.find((each) => spanMs / each <= TICKS_MAX) ?? spanMs;
    const first = Math.ceil(fromMs / stepMs) * stepMs;
    const count = Math.max(0, Math.floor((this.untilMs - first) / stepMs) + 1);
    this.ticksMs = Array.from({ length: count }, (_, index) => first + index * stepMs);
  }

  /** Where an instant is, 0 to 1. */
  ratio(atMs: number): number {
    return Math.min(1, Math.max(0, (atMs - this.fromMs) / (this.untilMs - this.fromMs)));
  }

  /** Where an instant is, as SVG says it: `12.5%`. */
  percent(atMs: number): string {
    return percent(this.ratio(atMs));
  }

  /** A line at every tick, for a picture of any height. */
  grid(): Markup {
    return html`${this.ticksMs.map((atMs) => {
      const x = this.percent(atMs);
      return html`<line class="grid" x1="${x}" x2="${x}" y1="0" y2="100%" />`;
    })}`;
  }

  /** The ticks with their times. */
  labels(): Markup {
    const texts = this.ticksMs.map((atMs) => {
      const ratio = this.ratio(atMs);
      const anchor = ratio < 0.04 ? 'start' : ratio > 0.96 ? 'end' : 'middle';
      return html`<text x="${percent(ratio)}" y="12" text-anchor="${anchor}">${clock(atMs)}</text>`;
    });
    return html`<svg class="axis" width="100%" height="18" aria-hidden="true">${texts}</svg>`;
  }
}

/** A share as SVG says it: `12.5%`. */
export function percent(ratio: number): string {
  return `${Number((ratio * 100).toFixed(3))}%`;
}

/** Time of day, UTC: `09:12`. */
export function clock(atMs: number): string {
  return rfc3339(atMs).slice(11, 16);
}

/** Time of day with seconds, UTC: `09:12:30`. */
export function clockSeconds(atMs: number): string {
  return rfc3339(atMs).slice(11, 19);
}

/** A length of time for people: `40 s`, `12 min`, `1 h 20 min`. */
export function lengthText(ms: number): string {
  const minutes = Math.round(ms / MINUTE_MS);
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`;
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
