import { concatBytes, RejectedError, sha256Hex, textOf, utf8 } from '@flyball/core';
import type { SavedMarks } from './marks.ts';
import type { Objects } from './objects.ts';

/** How many checkpoints of a lane are kept. */
export const CHECKPOINTS_KEPT = 3;

/** A lane between two entries, whole. The same lane, offset and behaviour give the same bytes. */
export interface Checkpoint {
  readonly lane: string;
  /** Which life of the lane. */
  readonly epoch: number;
  /** Next offset to read. */
  readonly offset: number;
  /** Identity of the inbox topic: another topic of the same name is another truth. */
  readonly topicId: string;
  /** The record at `offset - 1` as it was read; it must still be there. `null` before the first. */
  readonly last: LastRecord | null;
  /** Of the release that wrote it; '' of a life that nobody has run yet. */
  readonly behaviour: string;
  readonly marks: SavedMarks;
  readonly state: Uint8Array;
}

/** What identifies a record that was read. */
export interface LastRecord {
  /** Provenance header, or '' where the record has none. */
  readonly provenance: string;
  /** CRC-32 of the value. */
  readonly crc: number;
}

const NEWLINE = 10;
const OFFSET_DIGITS = 16;
const EPOCH_DIGITS = 6;

/** Checkpoints of lanes in object storage: `checkpoints/<lane>/<epoch>/<offset>`. */
export class CheckpointStore {
  readonly #objects: Objects;

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  /** Stores a checkpoint, then drops all but the newest {@link CHECKPOINTS_KEPT}. */
  async put(checkpoint: Checkpoint): Promise<void> {
    await this.#objects.put(nameOf(checkpoint), encode(checkpoint));
    const names = await this.#objects.list(prefixOf(checkpoint.lane));
    for (const name of names.slice(0, -CHECKPOINTS_KEPT)) await this.#objects.delete(name);
  }

  /**
   * The newest checkpoint that `accept` takes. One that is corrupt, or whose state is refused, is moved
   * to `quarantine/` and the next older one is tried.
   *
   * @param accept - throws {@link RejectedError} when the state cannot be restored.
   */
  async newest<T>(lane: string, accept: (checkpoint: Checkpoint) => T): Promise<T | undefined> {
    const names = await this.#objects.list(prefixOf(lane));
    for (const name of [...names].reverse()) {
      const bytes = await this.#objects.get(name);
      if (bytes === undefined) continue; // Another runner of the lane has dropped it since.
      try {
        return accept(decode(bytes));
      } catch (error) {
        if (!(error instanceof RejectedError)) throw error;
        await this.#objects.put(`quarantine/${name}`, bytes);
        await this.#objects.delete(name);
      }
    }
    return undefined;
  }

  /**
   * The offset behind which every kept checkpoint of a lane is, and the topic that it is of: from there on the lane may still
   * read. `undefined` where it has none, or where the oldest cannot be read: then nobody knows.
   */
  async oldest(lane: string): Promise<Pick<Checkpoint, 'offset' | 'topicId'> | undefined> {
    const names = await this.#objects.list(prefixOf(lane));
    const offsetOf = (name: string) => Number(name.slice(name.lastIndexOf('/') + 1));
    const [oldest] = names.toSorted((a, b) => offsetOf(a) - offsetOf(b));
    const bytes = oldest === undefined ? undefined : await this.#objects.get(oldest);
    if (bytes === undefined) return undefined;
    try {
      const { offset, topicId } = decode(bytes);
      return { offset, topicId };
    } catch (error) {
      if (error instanceof RejectedError) return undefined;
      throw error;
    }
  }

  /** The latest life of a lane that is on record, also if its checkpoints cannot be read any more; -1 when it never lived. */
  async newestEpoch(lane: string): Promise<number> {
    const names = [...(await this.#objects.list(prefixOf(lane))), ...(await this.quarantined(lane))];
    return names.reduce((newest, name) => Math.max(newest, Number(name.split('/').at(-2))), -1);
  }

  /** Names of what was quarantined for a lane, oldest first. */
  async quarantined(lane: string): Promise<readonly string[]> {
    return this.#objects.list(`quarantine/${prefixOf(lane)}`);
  }
}

function prefixOf(lane: string): string {
  return `checkpoints/${lane}/`;
}

function nameOf({ lane, epoch, offset }: Checkpoint): string {
  const life = String(epoch).padStart(EPOCH_DIGITS, '0');
  return `${prefixOf(lane)}${life}/${String(offset).padStart(OFFSET_DIGITS, '0')}`;
}

/** Three parts: SHA-256 of the rest in hex and a newline; a line of JSON; the state. */
function encode(checkpoint: Checkpoint): Uint8Array {
  const { state, ...head } = checkpoint;
  const rest = concatBytes([utf8(`${JSON.stringify({ v: 1, ...head })}\n`), state]);
  return concatBytes([utf8(`${sha256Hex(rest)}\n`), rest]);
}

function decode(bytes: Uint8Array): Checkpoint {
  const restAt = bytes.indexOf(NEWLINE) + 1;
  const rest = bytes.subarray(restAt);
  if (restAt === 0 || textOf(bytes.subarray(0, restAt - 1)) !== sha256Hex(rest)) {
    throw new RejectedError('CHECKPOINT_CORRUPT', 'checkpoint does not match its own digest');
  }
  const stateAt = rest.indexOf(NEWLINE) + 1;
  const { v, ...head } = JSON.parse(textOf(rest.subarray(0, stateAt))) as { v: number } & Omit<Checkpoint, 'state'>;
  if (v !== 1) throw new RejectedError('CHECKPOINT_CORRUPT', 'checkpoint has an unknown version');
  return { ...head, state: rest.subarray(stateAt) };
}
