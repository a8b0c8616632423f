import { AppError, UnavailableError } from '@flyball/core';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { diagnose, Disk, failedDisk } from './disk.ts';
import type { Answer, AppendResult, Broken, Greeting, Request, Usage, WorkerStart } from './protocol.ts';
import { corruptLog, isBroken, isCorrupt, isFailedWrite, isFull, isOfDatabase, Store } from './store.ts';

// The thread that owns the database: a commit blocks for milliseconds, and must not block the process. Requests
// that arrive while a commit runs share the next one (group commit), and are answered only after it. Of the runtime it knows types alone:
// a thread loads what it imports anew.

/** Most bytes of values in one transaction. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;

const port = parentPort!;
const { dir, budgetBytes, reservedTopics } = workerData as WorkerStart;
const reserved = new Set(reservedTopics);

let store: Store;
let disk: Disk;
/** Why this thread has to end, once it has to. */
let broken: AppError | undefined;
try {
  mkdirSync(dir, { recursive: true });
  refuseEmptied();
  store = new Store(`${dir}/log.sqlite`);
  disk = new Disk(dir, budgetBytes);
  port.on('message', onMessage);
  port.postMessage({ topics: store.topics() } satisfies Greeting);
} catch (error) {
  const { code, message, hint } = nameOfStart(error);
  port.postMessage({ code, message, ...(hint !== undefined && { hint }) } satisfies Greeting);
}

/** A file without a byte is a new log, unless there has been one: the reserve is made after it. */
function refuseEmptied(): void {
  const [file, reserve] = ['log.sqlite', 'reserve'].map((name) => statSync(join(dir, name), { throwIfNoEntry: false }));
  if (file?.size !== 0 || reserve === undefined) return;
  const hint = 'Restore the data directory from a copy, or use another --data directory.';
  throw new UnavailableError('LOG_UNREADABLE', 'the file of the log is empty, and was not', { hint });
}

function nameOfStart(error: unknown): AppError {
  if (error instanceof AppError) return error;
  // Else the folder could not be made: the disk is asked why.
  const isOfDisk = isBroken(error) || !isOfDatabase(error);
  const wrong = isFull(error) ? 'full' : isOfDisk ? diagnose(dir) : undefined;
  if (wrong === 'full') {
    const hint = 'Free space where the data directory is.';
    return new UnavailableError('LOG_FULL', 'the disk is full', { hint, cause: error });
  }
  return wrong ?? new UnavailableError('LOG_UNREADABLE', String(error), { cause: error });
}

function onMessage(first: Request[]): void {
  const group = [...first];
  for (let bytes = 0; bytes < GROUP_BYTES_MAX;) {
    const more = receiveMessageOnPort(port)?.message as Request[] | undefined;
    if (more === undefined) break;
    group.push(...more);
    bytes += more.reduce((sum, request) => sum + sizeOf(request), 0);
  }
  port.postMessage(answerAll(group));
  if (broken !== undefined) return end(broken);
  if (group.some(({ ask }) => ask === 'close')) {
    store.close();
    port.close();
  }
}

/** Never goes on after a failed sync: pages that were not written may count as clean by now. Nothing is closed properly either. */
function end({ code: brokenCode, message, hint = '' }: AppError): void {
  port.postMessage({ brokenCode, message, hint } satisfies Broken);
  port.close();
}

/** Answers a group in order; all its writes are one transaction, durable before the first answer leaves. */
function answerAll(group: readonly Request[]): Answer[] {
  const answers: Answer[] = [];
  try {
    const usedBytes = store.usedBytes();
    let addedBytes = 0;
    store.transact(() => {
      for (const request of group) {
        const bytes = sizeOf(request);
        const answer = answerOne(request, usedBytes + addedBytes);
        if ('ok' in answer) addedBytes += bytes;
        answers.push(answer);
      }
    });
  } catch (error) {
    // Nothing of the group was written, or nobody can tell. Reads are answered alike: they are asked again.
    const named = nameOf(error);
    return group.map(({ id }) => failure(id, named));
  }
  try {
    store.boundWal();
  } catch (error) {
    nameOf(error); // The group is durable all the same.
  }
  return answers;
}

/** What has happened, and what follows from it. */
function nameOf(error: unknown): AppError {
  const found = isBroken(error) ? diagnose(dir) : undefined;
  // Without space a write may fail and be made again. A sync may not, whatever the reason.
  const wrong = found === 'full' && !isFailedWrite(error) ? failedDisk(dir) : found;
  if (isFull(error) || wrong === 'full') {
    disk.markFull();
    return new UnavailableError('LOG_FULL', 'the disk is full', { cause: error });
  }
  if (wrong !== undefined) {
    broken = wrong;
    return new UnavailableError('LOG_APPEND_UNKNOWN', 'the disk failed', { cause: error });
  }
  if (isCorrupt(error)) {
    const hint = 'Restore the data directory from a copy; the file on disk is not what was written.';
    return new UnavailableError('LOG_CORRUPT', 'the file of the log does not hold together', { hint, cause: error });
  }
  return new UnavailableError('LOG_UNAVAILABLE', `the database failed: ${String(error)}`, { cause: error });
}

function answerOne(request: Request, usedBytes: number): Answer {
  try {
    return { id: request.id, ok: execute(request, usedBytes) };
  } catch (error) {
    if (error instanceof AppError && error.kind !== 'bug') return failure(request.id, error);
    // Whoever reads a spoiled page does not take the others of the group with it.
    // A row that is no row of ours is spoiled too.
    if (request.ask === 'read' && (isCorrupt(error) || !isOfDatabase(error)))
      return failure(request.id, corruptLog(request.from, error));
    throw error;
  }
}

function failure(id: number, error: AppError): Answer {
  const kind = error.kind === 'rejected' ? 'rejected' : 'unavailable';
  return { id, kind, code: error.code, message: error.message };
}

function execute(request: Request, usedBytes: number): unknown {
  switch (request.ask) {
    case 'append': {
      const { to, records } = request;
      if (!disk.admits(sizeOf(request), usedBytes, reserved.has(to.topic))) {
        throw new UnavailableError('LOG_FULL', disk.isFull ? 'the disk is full' : 'the budget is used up');
      }
      const appendedAtMs = Date.now();
      return { firstOffset: store.append(to, records, appendedAtMs), appendedAtMs } satisfies AppendResult;
    }
    case 'create':
      return store.create(request.topic, request.partitions);
    case 'read':
      return store.read(request.from, request.fromOffset, request.maxBytes);
    case 'trim':
      return store.trim(request.of, request.beforeOffset);
    case 'commit':
      return store.commit(request.reader, request.at, request);
    case 'committed':
      return store.committed(request.reader, request.at);
    case 'progress':
      return store.progress(request.topic, request.readers);
    case 'usage':
      return { usedBytes, budgetBytes, isDiskFull: disk.isFull } satisfies Usage;
    case 'close':
      return undefined;
  }
}

function sizeOf(request: Request): number {
  return request.ask === 'append' ? request.records.reduce((sum, { value }) => sum + value.length, 0) : 0;
}
