import type { Policy } from './parse.ts';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const MINUTES_PER_DAY = 24 * 60;

/**
 * The reason of the freeze window of a policy that an instant lies in; `undefined` where it lies in none. Windows are
 * half-open, in UTC; one that ends before it begins goes on into the day after those that it names.
 *
 * @param nowMs - log time.
 */
export function frozenBy({ spec }: Policy, nowMs: number): string | undefined {
  const now = new Date(nowMs);
  const minute = now.getUTCHours() * 60 + now.getUTCMinutes();
  const today = now.getUTCDay();
  return spec.freeze.find(({ days, from, until }) => {
    const [start, end] = [minuteOf(from), minuteOf(until)];
    const isDay = (day: number) => days === undefined || days.includes(DAYS[(day + 7) % 7]!);
    if (start < end) return isDay(today) && minute >= start && minute < end;
    return (isDay(today) && minute >= start) || (isDay(today - 1) && minute < end);
  })?.reason;
}

/** `24:00` is the end of a day. */
function minuteOf(clock: string): number {
  const [hours, minutes] = clock.split(':').map(Number);
  return Math.min(MINUTES_PER_DAY, hours! * 60 + minutes!);
}
