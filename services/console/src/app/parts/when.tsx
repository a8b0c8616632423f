import type { ReactNode } from 'react';
import { span, useClock } from '../format.ts';
import { useNow } from '../now.ts';

/** How long ago something was; the instant itself is its title. */
export function Ago({ atMs }: { readonly atMs: number | null }): ReactNode {
  const now = useNow();
  const clock = useClock();
  if (atMs === null) return <span className="none">never</span>;
  const date = new Date(atMs).toISOString();
  return (
    <time dateTime={date} title={`${clock.dateTime(atMs)} ${clock.zone} (${date})`}>
      {now - atMs < 1_000 ? 'now' : `${span(now - atMs)} ago`}
    </time>
  );
}

/** An instant as the reader likes to see it. */
export function At({ atMs, isLong = false }: { readonly atMs: number; readonly isLong?: boolean }): ReactNode {
  const clock = useClock();
  const date = new Date(atMs).toISOString();
  return (
    <time dateTime={date} title={date}>
      {isLong ? clock.dateTime(atMs) : clock.time(atMs)}
    </time>
  );
}
