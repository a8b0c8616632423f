import { type ErrorOptions, UnavailableError } from '@flyball/core';
import type { WindowKind } from '@flyball/contracts';
import type { HotBatch, HotProgress, HotService, HotStore } from '@flyball/runtime';
import type { Redis } from 'ioredis';
import { APPLY_LUA, applyArguments, type Bounds, Keys } from './apply-script.ts';

const COLON = 58;
const FIELDS = ['newest', 'seen', 'assessment'] as const;
const HINTS: readonly [RegExp, string][] = [
  [/^OOM /, 'The Redis server is full: give it more memory (maxmemory), or keep less in it.'],
  [/^(WRONGPASS|NOAUTH) /, 'Correct the user and password of the Redis server.'],
  [/^NOPERM /, 'Permit the Redis user all keys below the prefix, and scripts: ~flyball:* +@all -@dangerous.'],
  [/certificate/i, 'Name the authority of the Redis server in FLYBALL_REDIS_CA_FILE.'],
];

type ScriptedRedis = Redis & { flyballApply(...args: (number | string | Buffer)[]): Promise<number> };

/** {@link HotStore} in Redis. What comes with `apply` is one script there. */
export class RedisHotStore implements HotStore {
  readonly #redis: ScriptedRedis;
  readonly #keys: Keys;
  readonly #bounds: Bounds;
  /** Why there is no connection. */
  #connectionError: Error | undefined;

  /** @param redis - belongs to the store from here on. Its offline queue is off: what cannot be sent now fails. */
  constructor(redis: Redis, prefix: string, bounds: Bounds) {
    redis.defineCommand('flyballApply', { lua: APPLY_LUA });
    redis.on('error', (error: Error) => (this.#connectionError = error));
    redis.on('ready', () => (this.#connectionError = undefined));
    this.#redis = redis as ScriptedRedis;
    this.#keys = new Keys(prefix);
    this.#bounds = bounds;
  }

  async apply(batch: HotBatch): Promise<boolean> {
    const args = applyArguments(batch, this.#keys, this.#bounds);
    return this.#guard(async () => (await this.#redis.flyballApply(...args)) === 1);
  }

  async services(): Promise<readonly HotService[]> {
    return this.#guard(async () => {
      const keys = await this.#redis.zrange(this.#keys.subjects, 0, '-1');
      const pipeline = this.#redis.pipeline();
      for (const key of keys) pipeline.hmgetBuffer(this.#keys.subject(key), ...FIELDS);
      const rows = keys.length === 0 ? [] : ((await pipeline.exec()) ?? []);
      const found = rows.map(([error, fields], index) => {
        if (error !== null) throw error;
        return serviceOf(keys[index]!, fields as readonly (Buffer | null)[]);
      });
      return found.filter((service) => service !== undefined);
    });
  }

  async service(key: string): Promise<HotService | undefined> {
    return this.#guard(async () => serviceOf(key, await this.#redis.hmgetBuffer(this.#keys.subject(key), ...FIELDS)));
  }

  async windows(key: string, kind: WindowKind, newestMax = 0): Promise<readonly Uint8Array[]> {
    // From 0 are all; from -n the last n.
    const members = await this.#guard(() => this.#redis.zrangeBuffer(this.#keys.windows(key, kind), -newestMax, '-1'));
    return members.map((member) => bytesOf(member, member.indexOf(COLON) + 1));
  }

  async progress(): Promise<ReadonlyMap<string, HotProgress>> {
    const lanes = await this.#guard(() => this.#redis.hgetall(this.#keys.progress));
    return new Map(
      Object.entries(lanes).map(([lane, text]) => {
        const [offset = '', isCaughtUp = ''] = text.split(':');
        return [lane, { offset: Number(offset), isCaughtUp: isCaughtUp === '1' }];
      }),
    );
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // Without a connection the client says only that it cannot write; why is what the connection said last.
      const isConnected = this.#redis.status === 'ready';
      throw hotUnavailable((isConnected ? undefined : this.#connectionError) ?? error);
    }
  }
}

/** The cause is copied by name and text only: a client's error holds the command, with password and values. */
function hotUnavailable(error: unknown): UnavailableError {
  const { name = 'Error', message = String(error) } = error instanceof Error ? error : {};
  const hint = HINTS.find(([pattern]) => pattern.test(message))?.[1];
  const options: ErrorOptions = { cause: Object.assign(new Error(message), { name }), ...(hint && { hint }) };
  return new UnavailableError('HOT_UNAVAILABLE', 'the hot store failed', options);
}

function serviceOf(key: string, [newest, seen, assessment]: readonly (Buffer | null)[]): HotService | undefined {
  if (!newest) return undefined;
  const lastSeenAtMs = seen ? Number(seen.toString()) : null;
  return { key, assessment: assessment ? bytesOf(assessment, 0) : undefined, lastSeenAtMs };
}

/** Bytes of their own: a client's buffers are views of larger ones. */
function bytesOf(buffer: Buffer, from: number): Uint8Array {
  return new Uint8Array(buffer.subarray(from));
}
