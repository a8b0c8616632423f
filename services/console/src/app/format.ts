import { useMemo } from 'react';
import { usePreferences } from './preferences.ts';

const LOCALE = 'en-GB';
const whole = new Intl.NumberFormat(LOCALE);

/** 1,234; 12.3 k; 1.20 M. */
export function count(value: number): string {
  if (value < 10_000) return whole.format(Math.round(value));
  return value < 1_000_000 ? `${(value / 1_000).toFixed(1)} k` : `${(value / 1_000_000).toFixed(2)} M`;
}

/** A number with about three digits. */
export function number(value: number): string {
  const size = Math.abs(value);
  if (size >= 10_000) return count(value);
  if (size >= 100 || Number.isInteger(value)) return whole.format(Math.round(value));
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** A share of 0 to 1: `0.8 %`. */
export function percent(ratio: number): string {
  const value = ratio * 100;
  if (value === 0 || value === 100) return `${value} %`;
  return `${value < 10 ? value.toFixed(value < 0.1 ? 3 : 1) : value.toFixed(value > 99 ? 2 : 0)} %`;
}

/** A duration: `41 ms`, `1.24 s`. */
export function duration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

/** A span of time as people say it: `8 s`, `3 min`, `2 h 5 min`. */
export function span(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1).replace(/\.0$/, '')} s`;
  if (seconds < 90) return `${seconds.toFixed(0)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.round(minutes / 60 / 24)} days`;
}

/** Requests per second of a window. */
export function perSecond(requests: number, windowMs: number | null): string {
  return windowMs === null || windowMs <= 0 ? '–' : `${number((requests * 1_000) / windowMs)}/s`;
}

/** A value in the unit that UCUM names: ratios are shown as per cent. */
export function inUnit(value: number, unit: string): string {
  if (unit === '1') return percent(value);
  if (unit === 'ms') return duration(value);
  // Braces mark what is only counted: `{request}`.
  const name = unit.replaceAll(/[{}]/g, '');
  return `${number(value)}${name === '' ? '' : ` ${name}`}`;
}

/** Times as the reader likes to see them. */
export interface Clock {
  /** `10:02:14`. */
  time(atMs: number): string;
  /** `26 Nov 10:02:14`. */
  dateTime(atMs: number): string;
  /** `UTC`, or what the local zone is called. */
  readonly zone: string;
  /** IANA name, for charts. */
  readonly timeZone: string;
}

export function useClock(): Clock {
  const { clock } = usePreferences();
  return useMemo(() => {
    const timeZone = clock === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone;
    const of = (options: Intl.DateTimeFormatOptions) => {
      const format = new Intl.DateTimeFormat(LOCALE, { timeZone, hourCycle: 'h23', ...options });
      return (atMs: number) => format.format(atMs).replace(',', '');
    };
    const hours = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
    const dateTime = of({ day: '2-digit', month: 'short', ...hours });
    return { time: of(hours), dateTime, zone: clock === 'utc' ? 'UTC' : 'local', timeZone };
  }, [clock]);
}
