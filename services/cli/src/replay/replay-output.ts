import type { Command, Incident, Signal, Window } from '@flyball/contracts';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { commandRow, incidentRow, signalRow, windowRow } from './replay-rows.ts';
import type { ReplaySinks } from './replay-stages.ts';

type File = 'windows' | 'signals' | 'incidents' | 'commands';

/** The files that a replay writes: `signals.jsonl`, `incidents.jsonl`, `commands.jsonl`, and `windows.jsonl` where it is asked for. */
export class ReplayOutput {
  readonly sinks: ReplaySinks;
  /** Lines written so far. */
  readonly counts: Record<File, number> = { windows: 0, signals: 0, incidents: 0, commands: 0 };
  /** Incidents that are nothing but a blackout of telemetry: of no service, so in no file. */
  blackouts = 0;
  readonly #streams = new Map<File, WriteStream>();
  /** Incidents by id, in the order in which they were opened: a line each, as it is in the end. */
  readonly #incidents = new Map<string, Incident>();

  /** @param dir - created where it is missing; what is in it is replaced. */
  constructor(dir: string, { hasWindows }: { readonly hasWindows: boolean }) {
    mkdirSync(dir, { recursive: true });
    const files: readonly File[] = ['signals', 'incidents', 'commands', ...(hasWindows ? (['windows'] as const) : [])];
    for (const file of files) this.#streams.set(file, createWriteStream(join(dir, `${file}.jsonl`)));
    this.sinks = {
      window: (window: Window, more: object) => this.#write('windows', { ...windowRow(window), ...more }),
      signal: (signal: Signal) => this.#write('signals', signalRow(signal)),
      incident: (incident: Incident) => void this.#incidents.set(incident.incidentId, incident),
      command: (command: Command) => this.#write('commands', commandRow(command)),
    };
  }

  /** Waits until the disk has taken what was written. */
  async drain(): Promise<void> {
    for (const stream of this.#streams.values()) if (stream.writableNeedDrain) await once(stream, 'drain');
  }

  /** Finishes all files. */
  async end(): Promise<void> {
    for (const incident of this.#incidents.values()) {
      if (incident.signals.length === 0) this.blackouts += 1;
      else this.#write('incidents', incidentRow(incident));
    }
    await Promise.all([...this.#streams.values()].map((stream) => new Promise<void>((resolve) => stream.end(resolve))));
  }

  #write(file: File, row: object): void {
    const stream = this.#streams.get(file);
    if (stream === undefined) return;
    this.counts[file] += 1;
    stream.write(`${JSON.stringify(row)}\n`);
  }
}
