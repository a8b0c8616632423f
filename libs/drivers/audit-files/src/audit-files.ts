import { auditCodec, type AuditEntry } from '@flyball/contracts';
import { RejectedError, UnavailableError } from '@flyball/core';
import { type Files, fresh, type Log, Marks, type Partition, type StoredRecord } from '@flyball/runtime';
import type { KeyObject } from 'node:crypto';
import * as nodeFiles from 'node:fs/promises';
import { join } from 'node:path';
import { loadSigningKey } from './signing-key.ts';
import { TenantChain } from './tenant-chain.ts';

const TOPIC = 'flyball.audit';
const IDLE_WAIT_MS = 500;
const BACKOFF_MS = 500;
const READ_BYTES_MAX = 1_000_000;
/** A log that is away for everybody: nothing new comes to be done, and it comes back by itself. */
const AWAY: readonly string[] = ['LOG_UNAVAILABLE', 'LOG_TIMEOUT', 'LOG_CLOSED'];

/**
 * Follows the audit topic and writes it to files, each head signed. Restarts go on where the files end. What cannot be written
 * is tried again until it is there: nothing is left out.
 */
export class AuditFiles {
  readonly #log: Log;
  readonly #dir: string;
  readonly #files: Files;
  readonly #chains = new Map<string, TenantChain>();
  readonly #failures = new Map<number, UnavailableError>();
  #key: KeyObject | undefined;
  #stop: () => void = () => undefined;
  readonly #stopped = new Promise<void>((resolve) => (this.#stop = resolve));
  #isStopping = false;
  #loops: Promise<void>[] = [];

  /** @param dir - data directory; keys and files are below `audit/`. */
  constructor(log: Log, dir: string, files: Files = nodeFiles) {
    this.#log = log;
    this.#dir = join(dir, 'audit');
    this.#files = files;
  }

  /**
   * Why something cannot be written now, if so: `AUDIT_UNWRITABLE`, `AUDIT_CORRUPT`, `MESSAGE_UNREADABLE`, or what the log says where
   * it does not give out what is to be written, `LOG_GAP`, `LOG_CORRUPT`. While that lasts nothing should be done
   * that ought to be in these files.
   */
  get failure(): UnavailableError | undefined {
    return this.#failures.values().next().value;
  }

  /** Starts to follow every partition. @throws {UnavailableError} `AUDIT_UNWRITABLE`, `AUDIT_KEY_UNREADABLE` */
  async start(): Promise<void> {
    const { partitions } = await this.#log.describe(TOPIC);
    try {
      await this.#files.mkdir(this.#dir, { recursive: true });
      this.#key = await loadSigningKey(this.#files, this.#dir);
    } catch (error) {
      throw unwritable(error);
    }
    this.#loops = Array.from({ length: partitions }, (_, partition) => this.#follow(partition));
  }

  /** Writes and signs what there is, then stops. What cannot be written now stays in the log. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#stop();
    await Promise.all(this.#loops);
  }

  async #follow(partition: number): Promise<void> {
    const from = { topic: TOPIC, partition };
    const marks = new Marks();
    let offset = (await this.#untilDone(partition, () => this.#log.range(from)))?.startOffset;
    while (offset !== undefined) {
      const records = await this.#read(from, offset);
      if (records === undefined) return;
      const news = fresh(records, marks);
      const isWritten = await this.#write(partition, news);
      if (!isWritten) return;
      offset = (records.at(-1)?.offset ?? offset - 1) + 1;
      if (records.length > 0) continue;
      if (this.#isStopping) return;
      await this.#log.wait(from, offset, IDLE_WAIT_MS).catch(() => undefined);
    }
  }

  #read(from: Partition, offset: number): Promise<readonly StoredRecord[] | undefined> {
    return this.#untilDone(from.partition, () => this.#log.read(from, offset, READ_BYTES_MAX));
  }

  /** Tries until it is done, and says what is in the way. `undefined` when it was told to stop before. */
  async #untilDone<T>(partition: number, work: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const failure = unwritable(error);
        if (!AWAY.includes(failure.code)) this.#failures.set(partition, failure);
      }
      if (this.#isStopping) return undefined;
      await Promise.race([new Promise((resolve) => setTimeout(resolve, BACKOFF_MS)), this.#stopped]);
    }
  }

  /** Writes until it is written. Returns false when it was told to stop before. */
  async #write(partition: number, records: readonly StoredRecord[]): Promise<boolean> {
    const isWritten = await this.#untilDone(partition, async () => {
      const entries: readonly AuditEntry[] = records.map((record) => auditCodec.decode(record));
      for (const [tenant, own] of Map.groupBy(entries, (entry) => entry.tenant)) {
        await (await this.#chainOf(tenant)).write(own, Date.now());
      }
      this.#failures.delete(partition);
      return true;
    });
    return isWritten === true;
  }

  async #chainOf(tenant: string): Promise<TenantChain> {
    const known = this.#chains.get(tenant);
    if (known !== undefined) return known;
    const chain = await TenantChain.open(this.#files, this.#dir, tenant, this.#key!);
    this.#chains.set(tenant, chain);
    return chain;
  }
}

function unwritable(cause: unknown): UnavailableError {
  if (cause instanceof UnavailableError) return cause;
  if (cause instanceof RejectedError) {
    const newer = { hint: 'Start the newer release.', cause };
    return new UnavailableError('MESSAGE_UNREADABLE', 'this release does not know a message of the audit', newer);
  }
  const hint = 'Free space where the audit is, or restore access: it goes on by itself.';
  return new UnavailableError('AUDIT_UNWRITABLE', 'the audit files cannot be written', { hint, cause });
}
