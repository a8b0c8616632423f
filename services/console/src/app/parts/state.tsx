import type { ServiceSummary } from '@flyball/api';
import type { ReactNode } from 'react';

export type State = ServiceSummary['state'];

/** Worst first. */
export const STATES: readonly State[] = ['failing', 'unknown', 'warming', 'ok'];

/** What a state means, for people. */
export const MEANING: Readonly<Record<State, string>> = {
  failing: 'errors or latency are worse than normal, with evidence',
  unknown: 'Flyball cannot see it well enough to tell',
  warming: 'what is normal is being learned',
  ok: 'as it normally is',
};

const SHAPES: Readonly<Record<State, ReactNode>> = {
  ok: <path d="M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13Zm-2.9 6.7 2 2 3.8-4.1" />,
  failing: <path d="M8 1.6 15 14H1L8 1.6Zm0 4.6v3.6m0 2v.2" />,
  warming: <path d="M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM8 4v4.2l2.8 1.8" />,
  unknown: <path d="M2 2h12v12H2V2Zm0 8L10 2M2 14 14 2M6 14l8-8M2 6l4-4M10 14l4-4" />,
};

/** A state as a shape and a word: colour is never the only sign. */
export function StateMark({ state, isBare = false }: { readonly state: State; readonly isBare?: boolean }): ReactNode {
  return (
    <span className={`state state-${state}`} title={`${state}: ${MEANING[state]}`}>
      <svg
        viewBox="0 0 16 16"
        width="14"
        height="14"
        aria-hidden={!isBare}
        {...(isBare && { role: 'img', 'aria-label': state })}
      >
        {SHAPES[state]}
      </svg>
      {!isBare && state}
    </span>
  );
}
