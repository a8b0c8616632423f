import { AppError, RejectedError, UnavailableError } from '@flyball/core';
import type { NewRecord, OffsetRange, Partition, Progress, StoredRecord, TopicState } from '@flyball/runtime';
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { Usage } from './protocol.ts';

const PAGE_BYTES = 16 * 1024;
/** Of the file. 2: checksums are over whole records. 0: over values only; such records are still read. */
const FORMAT = 2;
/** The WAL is copied back when about so much was written to it, in bytes. */
const WAL_BYTES = 64 * PAGE_BYTES;
/** Pages that a transaction writes beside its records: the ends of tables, and the progress of readers. */
const PAGES_PER_COMMIT = 3;
const WAL_BYTES_MAX = 4 * 1024 * 1024;
/** Most records of one read, whatever their size: small ones cost the thread's heap far more than their values, and many read at once. */
const READ_RECORDS_MAX = 1_000;

interface PartitionTable {
  readonly name: string;
  readonly insert: StatementSync;
  readonly select: StatementSync;
  startOffset: number;
  endOffset: number;
}

interface Row {
  offset: number;
  at_ms: number;
  key: string;
  headers: string;
  value: Uint8Array;
  crc: number;
}

/**
 * The SQL of the embedded log: one table per partition, so that every append goes to the end of a B-tree.
 * Synchronous, single-threaded; transactions are the caller's.
 */
export class Store {
  readonly #db: DatabaseSync;
  readonly #walPath: string;
  readonly #topics = new Map<string, { state: TopicState; tables: PartitionTable[] }>();
  /** Bytes that went to the WAL since it was copied back. */
  #walBytes = 0;

  /** @throws {UnavailableError} `LOG_LOCKED` when another process owns the file. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#walPath = `${path}-wal`;
    try {
      // The lock of EXCLUSIVE mode is the kernel's: it goes with its process, also by kill -9.
      this.#db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL`);
      this.#db.exec(`PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0`);
      this.#db.exec(`PRAGMA journal_size_limit = ${WAL_BYTES_MAX}`);
      this.#adoptFormat();
      this.#db.exec('CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, id TEXT, partitions INTEGER) STRICT');
      this.#db.exec(
        'CREATE TABLE IF NOT EXISTS starts (topic TEXT, partition INTEGER, offset INTEGER, PRIMARY KEY (topic, partition)) STRICT',
      );
      this.#db.exec(
        'CREATE TABLE IF NOT EXISTS commits (reader TEXT, topic TEXT, partition INTEGER, offset INTEGER, PRIMARY KEY (reader, topic, partition)) STRICT',
      );
      this.#db.exec(
        'CREATE TABLE IF NOT EXISTS reached (reader TEXT, topic TEXT, partition INTEGER, at_ms INTEGER, PRIMARY KEY (reader, topic, partition)) STRICT',
      );
    } catch (cause) {
      this.#db.close();
      if (cause instanceof AppError) throw cause;
      if (primary(cause) !== SQLITE_BUSY) throw cause;
      const hint = 'Stop the other process, or use another --data directory.';
      throw new UnavailableError('LOG_LOCKED', 'another process owns this data directory', { hint, cause });
    }
    for (const row of this.#db.prepare('SELECT name, id, partitions FROM topics').all()) {
      this.#load(String(row['name']), { id: String(row['id']), partitions: Number(row['partitions']) });
    }
  }

  /** Runs `work` in one transaction and makes it durable. An error of SQLite undoes all of it. */
  transact(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    const ends = [...this.#topics.values()].flatMap(({ tables }) =>
      tables.map((table) => [table, { ...table }] as const),
    );
    try {
      work();
      this.#db.exec('COMMIT');
      this.#walBytes += PAGES_PER_COMMIT * PAGE_BYTES;
    } catch (error) {
      // With a full disk SQLite has rolled back by itself.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      for (const [table, { startOffset, endOffset }] of ends) Object.assign(table, { startOffset, endOffset });
      throw error;
    }
  }

  topics(): readonly (TopicState & { topic: string; ranges: readonly OffsetRange[] })[] {
    return [...this.#topics].map(([topic, { state, tables }]) => ({
      topic,
      ...state,
      ranges: tables.map(({ startOffset, endOffset }) => ({ startOffset, endOffset })),
    }));
  }

  /** Creates a topic or finds it. @throws {RejectedError} `TOPIC_PARTITIONS` */
  create(topic: string, partitions: number): TopicState {
    const known = this.#topics.get(topic)?.state;
    if (known === undefined) {
      const state = { id: randomUUID(), partitions };
      this.#db.prepare('INSERT INTO topics VALUES (?, ?, ?)').run(topic, state.id, partitions);
      this.#load(topic, state);
      return state;
    }
    if (known.partitions === partitions) return known;
    const detail = { topic, found: known.partitions, wanted: partitions };
    throw new RejectedError('TOPIC_PARTITIONS', 'topic has another number of partitions', { detail });
  }

  /** Adds records and returns the offset of the first. */
  append(to: Partition, records: readonly NewRecord[], atMs: number): number {
    const table = this.#table(to);
    const firstOffset = table.endOffset;
    for (const { key, headers, value } of records) {
      const row = { offset: table.endOffset, at_ms: atMs, key, headers: JSON.stringify(headers), value };
      table.insert.run(row.offset, row.at_ms, row.key, row.headers, row.value, checksum(row));
      table.endOffset += 1;
      this.#walBytes += value.length;
    }
    return firstOffset;
  }

  /** @throws {UnavailableError} `LOG_GAP`, `LOG_TRUNCATED`, `LOG_CORRUPT` */
  read(from: Partition, fromOffset: number, maxBytes: number): StoredRecord[] {
    const { startOffset, endOffset, select } = this.#table(from);
    const detail = { ...from, fromOffset, startOffset, endOffset };
    if (fromOffset < startOffset) throw new UnavailableError('LOG_GAP', 'offset was trimmed', { detail });
    if (fromOffset > endOffset) throw new UnavailableError('LOG_TRUNCATED', 'offset is beyond the end', { detail });
    const records: StoredRecord[] = [];
    let size = 0;
    for (const row of select.iterate(fromOffset) as Iterable<unknown>) {
      const { offset, at_ms: appendedAtMs, key, headers, value } = row as Row;
      size += value.length;
      if ((size > maxBytes && records.length > 0) || records.length === READ_RECORDS_MAX) break;
      // What is spoiled, or not there, is told when it is asked for: the records before it are well.
      if (!isIntact(row as Row) || offset !== fromOffset + records.length) {
        if (records.length > 0) break;
        throw corruptLog(from);
      }
      records.push({ offset, appendedAtMs, key, headers: JSON.parse(headers) as Record<string, string>, value });
    }
    if (records.length === 0 && fromOffset < endOffset) throw corruptLog(from);
    return records;
  }

  trim(of: Partition, beforeOffset: number): void {
    const table = this.#table(of);
    const startOffset = Math.min(Math.max(beforeOffset, table.startOffset), table.endOffset);
    this.#db.prepare(`DELETE FROM ${table.name} WHERE offset < ?`).run(startOffset);
    this.#db.prepare('INSERT OR REPLACE INTO starts VALUES (?, ?, ?)').run(of.topic, of.partition, startOffset);
    table.startOffset = startOffset;
  }

  commit(reader: string, { topic, partition }: Partition, { offset, reachedMs }: Progress): void {
    this.#db.prepare('INSERT OR REPLACE INTO commits VALUES (?, ?, ?, ?)').run(reader, topic, partition, offset);
    const reached = this.#db.prepare('INSERT OR REPLACE INTO reached VALUES (?, ?, ?, ?)');
    reached.run(reader, topic, partition, reachedMs ?? null);
  }

  committed(reader: string, { topic, partition }: Partition): number | undefined {
    const find = 'SELECT offset FROM commits WHERE reader = ? AND topic = ? AND partition = ?';
    const offset = this.#db.prepare(find).get(reader, topic, partition)?.['offset'];
    return offset === undefined ? undefined : Number(offset);
  }

  /** @param readers - of each partition the one that is asked about. */
  progress(topic: string, readers: readonly string[]): ReadonlyMap<number, Progress> {
    const progress = new Map<number, Progress>();
    const find = this.#db.prepare('SELECT at_ms FROM reached WHERE reader = ? AND topic = ? AND partition = ?');
    for (const [partition, reader] of readers.entries()) {
      const offset = this.committed(reader, { topic, partition });
      if (offset === undefined) continue;
      const atMs = find.get(reader, topic, partition)?.['at_ms'] ?? undefined;
      progress.set(partition, { offset, reachedMs: atMs === undefined ? undefined : Number(atMs) });
    }
    return progress;
  }

  /** Bytes of pages in use; what was trimmed is free for new records and does not count. */
  usedBytes(): Usage['usedBytes'] {
    const pragma = (name: string) => Number(this.#db.prepare(`PRAGMA ${name}`).get()![name]);
    return (pragma('page_count') - pragma('freelist_count')) * PAGE_BYTES;
  }

  /**
   * Copies the WAL back from time to time: SQLite would do so too, and say nothing of a sync that failed. Call it after a commit.
   *
   * @throws what SQLite says when the file cannot be written. Nothing is lost: it is all in the WAL.
   */
  boundWal(): void {
    if (this.#walBytes < WAL_BYTES) return;
    const isLarge = (statSync(this.#walPath, { throwIfNoEntry: false })?.size ?? 0) > WAL_BYTES_MAX;
    this.#db.exec(`PRAGMA wal_checkpoint(${isLarge ? 'TRUNCATE' : 'PASSIVE'})`);
    this.#walBytes = 0;
  }

  close(): void {
    this.#db.close();
  }

  /** Refuses the file of a later release: it may hold what this one would misread. */
  #adoptFormat(): void {
    const found = Number(this.#db.prepare('PRAGMA user_version').get()!['user_version']);
    if (found === FORMAT) return;
    if (found < FORMAT) return this.#db.exec(`PRAGMA user_version = ${FORMAT}`);
    const hint = 'Start that release, or use another --data directory.';
    throw new UnavailableError('LOG_UNREADABLE', `the log was written by a later release, in format ${found}`, {
      hint,
    });
  }

  #load(topic: string, state: TopicState): void {
    const tables = Array.from({ length: state.partitions }, (_, partition) => {
      const name = `"records ${topic}/${partition}"`;
      const columns = 'offset INTEGER PRIMARY KEY, at_ms INTEGER, key TEXT, headers TEXT, value BLOB, crc INTEGER';
      this.#db.exec(`CREATE TABLE IF NOT EXISTS ${name} (${columns}) STRICT`);
      const find = 'SELECT offset FROM starts WHERE topic = ? AND partition = ?';
      const startOffset = Number(this.#db.prepare(find).get(topic, partition)?.['offset'] ?? 0);
      const last = this.#db.prepare(`SELECT max(offset) AS last FROM ${name}`).get()!['last'];
      return {
        name,
        insert: this.#db.prepare(`INSERT INTO ${name} VALUES (?, ?, ?, ?, ?, ?)`),
        select: this.#db.prepare(`SELECT * FROM ${name} WHERE offset >= ? ORDER BY offset`),
        startOffset,
        endOffset: last === null ? startOffset : Number(last) + 1,
      };
    });
    this.#topics.set(topic, { state, tables });
  }

  #table({ topic, partition }: Partition): PartitionTable {
    const table = this.#topics.get(topic)?.tables[partition];
    if (table !== undefined) return table;
    throw new UnavailableError('TOPIC_UNKNOWN', 'topic or partition was not created', { detail: { topic, partition } });
  }
}

/** Over all of a record, so that nothing of it can change unseen. */
function checksum({ offset, at_ms, key, headers, value }: Omit<Row, 'crc'>): number {
  return crc32(value, crc32(`${offset}\n${at_ms}\n${key}\n${headers}\n`));
}

/** Records of the first format carry the checksum of their value alone. */
function isIntact(row: Row): boolean {
  return checksum(row) === row.crc || (crc32(row.value) === row.crc && isJson(row.headers));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What is on disk is not what was written. */
export function corruptLog({ topic, partition }: Partition, cause?: unknown): UnavailableError {
  const hint = 'Restore the data directory from a copy; what is on disk is not what was written.';
  const about = { hint, cause, detail: { topic, partition } };
  return new UnavailableError('LOG_CORRUPT', 'a record does not match its checksum', about);
}

const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;
const SQLITE_IOERR_WRITE = 778;

/** Result code of an SQLite error, or 0. Source: sqlite.org/rescode.html. */
function errcode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
}

const primary = (error: unknown): number => errcode(error) & 0xff;

/** Whether SQLite said it. */
export function isOfDatabase(error: unknown): boolean {
  return errcode(error) !== 0;
}

/** Whether the disk, or SQLite's own limit, has no page left. The transaction is gone. */
export function isFull(error: unknown): boolean {
  return primary(error) === SQLITE_FULL;
}

/** Whether a write failed, for want of space (of a quota) or for worse: SQLite does not say. The transaction is gone. */
export function isFailedWrite(error: unknown): boolean {
  return errcode(error) === SQLITE_IOERR_WRITE;
}

/** Whether the disk failed in a way that leaves open what it holds. */
export function isBroken(error: unknown): boolean {
  return [SQLITE_IOERR, SQLITE_READONLY, SQLITE_CANTOPEN].includes(primary(error));
}

/** Whether the file is not what was written. */
export function isCorrupt(error: unknown): boolean {
  return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(primary(error));
}
