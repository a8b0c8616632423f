import type { IncidentView, Remark } from '@flyball/api';
import type { ReactNode } from 'react';
import { span } from '../format.ts';
import { T } from '../parts/inert.tsx';
import { At } from '../parts/when.tsx';
import { feedbackText } from './feedback-text.ts';

/** Everything the machine wrote down, and what people said of it, in order. Neither is ever changed. */
export function Timeline({ incident }: { readonly incident: IncidentView }): ReactNode {
  const { timeline, remarks, startedAtMs } = incident;
  const entries = [...timeline, ...remarks.map(entryOf)].sort((a, b) => a.atMs - b.atMs);
  return (
    <ol className="timeline">
      {entries.map(({ atMs, kind, text }, index) => (
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

function entryOf(remark: Remark): { readonly atMs: number; readonly kind: string; readonly text: string } {
  const { atMs, type: kind, actor } = remark;
  return { atMs, kind, text: `${actor}: ${remark.type === 'note' ? remark.text : feedbackText(remark)}` };
}
