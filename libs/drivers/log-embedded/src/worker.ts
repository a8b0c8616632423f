import { AppError, UnavailableError } from '@flyball/core';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Disk } from './disk.ts';
import type { Answer, AppendResult, Greeting, Request, Usage, WorkerStart } from './protocol.ts';
import { isBroken, isFull, Store } from './store.ts';

// The thread that owns the database: a commit blocks for milliseconds, and must not block the process. Requests
// that arrive while a commit runs share the next one (group commit), and are answered only after it.

/** Most bytes of values in one transaction. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;

const port = parentPort!;
const { dir, budgetBytes, reservedTopics } = workerData as WorkerStart;
const reserved = new Set(reservedTopics);

let store: Store;
let disk: Disk;
try {
  store = new Store(`${dir}/log.sqlite`);
  disk = new Disk(dir, budgetBytes);
  port.on('message', onMessage);
  port.postMessage({ topics: store.topics() } satisfies Greeting);
} catch (error) {
  const code = error instanceof AppError ? error.code : 'LOG_UNREADABLE';
  port.postMessage({ code, message: String(error) } satisfies Greeting);
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
  if (group.some(({ ask }) => ask === 'close')) {
    store.close();
    port.close();
  }
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
    return answers;
  } catch (error) {
    // Nothing of the group was written, or nobody can tell. Reads are answered alike: they are asked again.
    return group.map(({ id }) => failure(id, nameOf(error)));
  }
}

function nameOf(error: unknown): AppError {
  if (isFull(error)) {
    disk.markFull();
    return new UnavailableError('LOG_FULL', 'the disk is full', { cause: error });
  }
  if (isBroken(error)) return new UnavailableError('LOG_APPEND_UNKNOWN', 'the disk failed', { cause: error });
  return new UnavailableError('LOG_UNAVAILABLE', `the database failed: ${String(error)}`, { cause: error });
}

function answerOne(request: Request, usedBytes: number): Answer {
  try {
    return { id: request.id, ok: execute(request, usedBytes) };
  } catch (error) {
    if (error instanceof AppError && error.kind !== 'bug') return failure(request.id, error);
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
      return store.progress(request.processor, request.topic);
    case 'usage':
      return { usedBytes, budgetBytes, isDiskFull: disk.isFull } satisfies Usage;
    case 'close':
      return undefined;
  }
}

function sizeOf(request: Request): number {
  return request.ask === 'append' ? request.records.reduce((sum, { value }) => sum + value.length, 0) : 0;
}
