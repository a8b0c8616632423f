/** One line of `flyball doctor`: what was looked at, how it is, and what to do. */
export interface Finding {
  readonly status: 'ok' | 'warn' | 'fail';
  /** What was looked at: `clock`, `traces`, `prod/checkout`. */
  readonly about: string;
  /** What was found, one line, with its numbers. */
  readonly cause: string;
  /** What to do, one line; '' when it is well. */
  readonly fix: string;
}

/** It is as it should be. */
export function ok(about: string, cause: string): Finding {
  return { status: 'ok', about, cause, fix: '' };
}

/** It works, but not as somebody may think. */
export function warn(about: string, cause: string, fix: string): Finding {
  return { status: 'warn', about, cause, fix };
}

/** It does not work. */
export function fail(about: string, cause: string, fix: string): Finding {
  return { status: 'fail', about, cause, fix };
}

/** A time span for people: `12 s`, `3 min`, `2 h`. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, ms / 1_000);
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  return seconds < 6_000 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3_600).toFixed(0)} h`;
}
