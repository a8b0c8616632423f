import { once } from 'node:events';
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { ReplaySinks } from './replay-stages.ts';

/** The files that a replay writes: `windows.jsonl`, `incidents.jsonl`, `commands.jsonl`. */
export class ReplayOutput {
  readonly sinks: ReplaySinks;
  /** Lines written so far. */
  readonly counts = { windows: 0, incidents: 0, commands: 0 };
  readonly #streams: WriteStream[] = [];

  /** @param dir - created where it is missing; what is in it is replaced. */
  constructor(dir: string) {
    mkdirSync(dir, { recursive: true });
    const sinkOf = (name: keyof ReplaySinks) => {
      const stream = createWriteStream(join(dir, `${name}.jsonl`));
      this.#streams.push(stream);
      return (line: string) => {
        this.counts[name] += 1;
        stream.write(`${line}\n`);
      };
    };
    this.sinks = { windows: sinkOf('windows'), incidents: sinkOf('incidents'), commands: sinkOf('commands') };
  }

  /** Waits until the disk has taken what was written. */
  async drain(): Promise<void> {
    for (const stream of this.#streams) if (stream.writableNeedDrain) await once(stream, 'drain');
  }

  /** Finishes all files. */
  async end(): Promise<void> {
    await Promise.all(this.#streams.map((stream) => new Promise<void>((resolve) => stream.end(resolve))));
  }
}
