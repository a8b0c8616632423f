import { RejectedError } from '@flyball/core';
import { HOT_SUBJECTS_MAX, HOT_WINDOWS_MAX } from '@flyball/runtime';
import { Redis } from 'ioredis';
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { RedisHotStore } from './redis-hot-store.ts';

/** Every key goes this long after its last write: longer than the hour after which a silent subject is gone. */
const TTL_SEC = 2 * 60 * 60;
const RECONNECT_MAX_MS = 2_000;

/** What code may choose; an operator has the URL. */
export interface RedisHotOptions {
  /** Of every key. Default `flyball:hot:`. */
  readonly prefix?: string;
  readonly subjectsMax?: number;
  readonly windowsMax?: number;
  /** Until a command is answered, and until a connection is there. Default 2 s each. */
  readonly commandTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Opens a hot store in Redis by its URL: `redis://USER:PASSWORD@HOST:6379/0`, or `rediss://` for TLS. The password may
 * come from `FLYBALL_REDIS_PASSWORD`, or from the file that `FLYBALL_REDIS_PASSWORD_FILE` names, instead;
 * `FLYBALL_REDIS_CA_FILE` names an authority to trust.
 *
 * Waits for the connection, but not for long: a server that is away is found again later, and until then every call
 * throws `HOT_UNAVAILABLE`.
 *
 * @throws {RejectedError} `CONFIG_INVALID`: exit with 78.
 */
export async function openRedisHotStore(
  url: string,
  env: Environment,
  options: RedisHotOptions = {},
): Promise<RedisHotStore> {
  const { prefix = 'flyball:hot:', subjectsMax = HOT_SUBJECTS_MAX, windowsMax = HOT_WINDOWS_MAX } = options;
  const { commandTimeoutMs = 2_000, connectTimeoutMs = 2_000 } = options;
  const redis = new Redis({
    ...serverOf(url, env),
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // A host that is gone without a word: the connection is given up, and made anew.
    socketTimeout: 5 * commandTimeoutMs,
    // Nothing waits for a connection, and nothing is sent again behind the caller's back.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), RECONNECT_MAX_MS),
    // A user who may touch our keys only need not be allowed INFO and CLIENT.
    enableReadyCheck: false,
    disableClientInfo: true,
    lazyConnect: true,
  });
  const store = new RedisHotStore(redis, prefix, { subjectsMax, windowsMax, ttlSec: TTL_SEC });
  await redis.connect().catch(() => undefined);
  return store;
}

interface Server {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: ConnectionOptions;
}

function serverOf(text: string, env: Environment): Server {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isTls = url?.protocol === 'rediss:';
  if (url === undefined || (!isTls && url.protocol !== 'redis:') || url.hostname === '') {
    throw invalid('the URL of the hot store is not redis://HOST:PORT');
  }
  if (!/^(\/\d*)?$/.test(url.pathname) || url.search !== '') throw invalid('the URL of the hot store says too much');
  const password = passwordOf(url, env);
  const ca = readNamed(env['FLYBALL_REDIS_CA_FILE']);
  return {
    host: url.hostname.replaceAll(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(url.pathname.slice(1)),
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(password !== undefined && { password }),
    ...(isTls && { tls: ca === undefined ? {} : { ca } }),
  };
}

function passwordOf(url: URL, env: Environment): string | undefined {
  const named = readNamed(env['FLYBALL_REDIS_PASSWORD_FILE'])?.trim() ?? env['FLYBALL_REDIS_PASSWORD'];
  return url.password === '' ? named || undefined : decodeURIComponent(url.password);
}

function readNamed(path: string | undefined): string | undefined {
  if (path === undefined || path === '') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw invalid('a file that the environment names for the hot store cannot be read', cause);
  }
}

function invalid(message: string, cause?: unknown): RejectedError {
  const hint = 'Write redis://HOST:PORT, or rediss:// for TLS, and the password in FLYBALL_REDIS_PASSWORD.';
  return new RejectedError('CONFIG_INVALID', message, { hint, cause });
}
