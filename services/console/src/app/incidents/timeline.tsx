import type { Incident } from '@flyball/contracts';
import type { ReactNode } from 'react';
import { span } from '../format.ts';
import { T } from '../parts/inert.tsx';
import { At } from '../parts/when.tsx';

/** Everything the machine wrote down, in order. It is never changed. */
export function Timeline({ incident: { timeline, startedAtMs } }: { readonly incident: Incident }): ReactNode {
  return (
    <ol className="timeline">
      {timeline.map(({ atMs, kind, text }, index) => (
        <li key={index} className={`entry entry-${kind}`}>
          <span className="entry-when">
            <At atMs={atMs} />
            <small>
              {atMs < startedAtMs ? '−' : '+'}
              {span(Math.abs(atMs - startedAtMs))}
            </small>
          </span>
          <span className="entry-dot" aria-hidden />
          <span className="entry-what">
            <b>{kind}</b> <T>{text}</T>
          </span>
        </li>
      ))}
    </ol>
  );
}
