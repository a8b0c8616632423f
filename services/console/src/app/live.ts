import type { KillSwitchView, ServiceSummary } from '@flyball/api';
import { useEffect, useSyncExternalStore } from 'react';
import { type List, queries } from './queries.ts';

/** How the stream of changes is doing. */
export type Liveness = 'connecting' | 'live' | 'lost';

/** How soon a stream that the browser gave up is opened again. */
const AGAIN_MS = 2_000;
/** What comes faster than this is read once. */
const TOGETHER_MS = 250;

let liveness: Liveness = 'connecting';
const listeners = new Set<() => void>();
const waiting = new Map<string, readonly string[]>();
let timer: number | undefined;

function become(next: Liveness): void {
  if (next === liveness) return;
  liveness = next;
  for (const listener of listeners) listener();
}

/** Reads something again, soon, once for all that ask for it meanwhile. */
function readAgain(...keys: readonly (readonly string[])[]): void {
  for (const key of keys) waiting.set(JSON.stringify(key), key);
  timer ??= window.setTimeout(() => {
    timer = undefined;
    const due = [...waiting.values()];
    waiting.clear();
    for (const queryKey of due) void queries.invalidateQueries({ queryKey });
  }, TOGETHER_MS);
}

/**
 * What was asked before a change came may answer after it, with how things were: such an answer must not be the last word. What
 * has an answer on its way is read again.
 */
function overtake(key: readonly string[]): void {
  if (queries.isFetching({ queryKey: key }) > 0) readAgain(key);
}

function onKillSwitch(said: KillSwitchView): void {
  queries.setQueryData(['killswitch'], said);
  overtake(['killswitch']);
}

function onServices({ items, gone }: { items: readonly ServiceSummary[]; gone: readonly string[] }): void {
  queries.setQueryData<List<ServiceSummary>>(['services'], (known) => {
    if (known === undefined) return known;
    const rows = new Map(known.items.map((row) => [row.id, row]));
    for (const row of items) rows.set(row.id, row);
    for (const id of gone) rows.delete(id);
    return { ...known, items: [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
  });
  overtake(['services']);
  for (const { id } of items) readAgain(['service', id]);
  readAgain(['graph'], ['sight']);
}

const onIncident = ({ incidentId }: { incidentId: string }) => readAgain(['incidents'], ['incident', incidentId]);

const HANDLERS: Readonly<Record<string, (data: never) => void>> = {
  reset: () => void queries.invalidateQueries(),
  services: onServices,
  incident: onIncident,
  remark: onIncident,
  command: () => readAgain(['commands']),
  approval: () => readAgain(['approvals']),
  audit: () => readAgain(['audit']),
  word: () => readAgain(['silences'], ['freezes'], ['changes']),
  killswitch: onKillSwitch,
};

/** Follows the stream while the page is there. */
export function useStream(isSignedIn: boolean): void {
  useEffect(() => {
    if (!isSignedIn) return undefined;
    let source: EventSource;
    let again: number | undefined;
    const open = () => {
      source = new EventSource('/v1/stream');
      source.addEventListener('open', () => become('live'));
      source.addEventListener('error', () => {
        become('lost');
        // A browser comes back by itself, unless it was told no.
        if (source.readyState === EventSource.CLOSED) again = window.setTimeout(open, AGAIN_MS);
      });
      for (const [event, handle] of Object.entries(HANDLERS)) {
        source.addEventListener(event, (message: MessageEvent<string>) => handle(JSON.parse(message.data) as never));
      }
    };
    open();
    return () => {
      clearTimeout(again);
      source.close();
    };
  }, [isSignedIn]);
}

export function useLiveness(): Liveness {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => liveness,
  );
}
