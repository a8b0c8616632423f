import { controlCodec, type ControlMessage } from '@flyball/contracts';
import { laneOf, UnavailableError } from '@flyball/core';
import { formatProvenance, type Log, type NewRecord, PROVENANCE_HEADER, writerOrigin } from '@flyball/runtime';
import { randomUUID } from 'node:crypto';

const TOPIC = 'flyball.control';
const TRIES_MAX = 5;
const BACKOFF_MS = 100;

type Word = ControlMessage extends infer Message
  ? Message extends { wordId: string }
    ? Omit<Message, 'wordId'>
    : never
  : never;

/** Puts operators' words and change events on record. A word that was said is durable, and counts once. */
export class ControlWriter {
  readonly #log: Log;
  readonly #run = randomUUID();
  #sequence = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Says a word. Words of this writer are put on record in the order in which they were said.
   *
   * @throws {UnavailableError} `WORD_UNKNOWN`: nobody knows whether it is on record; say it again if it matters.
   */
  say(word: Word): Promise<ControlMessage> {
    const said = this.#last.then(() => this.#append({ ...word, wordId: randomUUID() } as ControlMessage));
    this.#last = said.catch(() => undefined);
    return said;
  }

  async #append(word: ControlMessage): Promise<ControlMessage> {
    const { partitions } = await this.#log.describe(TOPIC);
    const partition = laneOf(word.tenant, partitions);
    this.#sequence += 1;
    const origin = writerOrigin('api', `${this.#run}/${partition}`);
    const headers = { [PROVENANCE_HEADER]: formatProvenance({ origin, epoch: 0, position: this.#sequence, index: 0 }) };
    const record: NewRecord = { key: word.tenant, headers, value: controlCodec.encode(word) };
    for (let attempt = 1; ; attempt += 1) {
      try {
        // A repeat carries the same provenance: it counts once, whatever became of the first.
        await this.#log.append({ topic: TOPIC, partition }, [record]);
        return word;
      } catch (cause) {
        if (!(cause instanceof UnavailableError)) throw cause;
        if (attempt === TRIES_MAX)
          throw new UnavailableError('WORD_UNKNOWN', 'the log did not take the word', { cause });
        await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS));
      }
    }
  }
}
