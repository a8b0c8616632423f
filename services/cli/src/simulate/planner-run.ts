import {
  type Command,
  type ControlMessage,
  type Incident,
  type OutcomesMessage,
  type SignalsMessage,
  signalsCodec,
} from '@flyball/contracts';
import { utf8 } from '@flyball/core';
import { Planner, type PlannerConfig, type PlannerOut } from '@flyball/planner';
import type { Outbox } from '@flyball/runtime';

/** An entry of the planner's inbox. */
export interface InboxEntry {
  readonly atMs: number;
  /** -1 for a word from before the range. */
  readonly offset: number;
  readonly message: SignalsMessage;
}

/** What a planner did with an inbox. */
export interface PlannerRun {
  /** By id, each as it was in the end. */
  readonly incidents: ReadonlyMap<string, Incident>;
  readonly commands: readonly Command[];
}

/** An entry as the API writes it. @throws {RejectedError} `FLYBALL_SIGNALS_UNREADABLE` for one of a later release. */
export function readEntry(line: string): InboxEntry {
  const { atMs, offset, message } = JSON.parse(line) as { atMs: number; offset: number; message: unknown };
  return { atMs, offset, message: signalsCodec.decode({ value: utf8(JSON.stringify(message)) }) };
}

/**
 * Runs the planner that decides in operation over what it was told, with other words put before and some left out. Nobody
 * carries out what it orders, so outcomes are known only of orders that were really given.
 *
 * @param before - words that hold from the beginning.
 * @param isHeard - which of the recorded words are told.
 */
export function runPlanner(
  entries: readonly InboxEntry[],
  config: PlannerConfig,
  {
    before,
    isHeard,
  }: { readonly before: readonly ControlMessage[]; readonly isHeard: (word: ControlMessage) => boolean },
): PlannerRun {
  const lanes = new Set(entries.flatMap(({ message }) => (message.type === 'closed' ? [message.from] : [])));
  const planner = new Planner(config, [...lanes].sort());
  const incidents = new Map<string, Incident>();
  const commands: Command[] = [];
  const outbox: Outbox<PlannerOut> = {
    emit(_topic, _key, body: Incident | Command | OutcomesMessage) {
      if (body.type === 'incident') incidents.set(body.incidentId, body);
      if (body.type === 'command') commands.push(body);
    },
    broadcast: () => undefined,
    reject: () => undefined,
  };
  const tell = ({ atMs, offset, message }: InboxEntry) => {
    const at = { epoch: 0, offset: Math.max(0, offset), atMs, key: '', provenance: undefined };
    planner.process({ ...at, body: message }, outbox);
  };
  const startMs = entries[0]?.atMs ?? 0;
  for (const fact of before) tell({ atMs: startMs, offset: -1, message: { type: 'relayed', atMs: startMs, fact } });
  for (const entry of entries) {
    const { message } = entry;
    if (message.type === 'relayed' && isWord(message.fact) && !isHeard(message.fact)) continue;
    tell(entry);
  }
  return { incidents, commands };
}

function isWord(fact: ControlMessage | OutcomesMessage): fact is ControlMessage {
  return !['claim', 'outcome', 'judgement'].includes(fact.type);
}
