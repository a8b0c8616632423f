import { WINDOW_KINDS, type WindowKind } from '@flyball/contracts';
import type { HotBatch, HotChange } from '@flyball/runtime';

/** Bounds that the script keeps. */
export interface Bounds {
  readonly subjectsMax: number;
  readonly windowsMax: number;
  /** Every key goes this long after its last write. */
  readonly ttlSec: number;
}

/** Fields of an argument list per change, and of one before the first. */
const HEAD = 8;
const FIELDS = 6;
/** Keys of a subject: its hash, and its windows of each kind. */
const KEYS_PER_SUBJECT = 1 + WINDOW_KINDS.length;

/**
 * Stores a batch. One script, so that nothing can happen between the look at the progress and the last write.
 *
 * Keys: progress; subjects; then per subject its hash and its windows of each kind.
 * Arguments: lane, first offset, next offset, isFirst, isCaughtUp, subjectsMax, windowsMax, TTL in seconds; then per
 * change: subject (its number, from 0), key, type (`w` silent, `W` heard, `a`, `g`), kind (its number, from 1), end, value.
 *
 * The hash holds `newest`, `seen`, `assessed` and `gone` (ends, ms) and `assessment`; without `newest` there is only the
 * memory of a subject that is gone. Windows are a set sorted by end, each as `<end>:<value>`.
 *
 * The progress is written first: a write that a full server refuses, so it refuses the batch before any of it.
 */
export const APPLY_LUA = `
local progress, subjects = KEYS[1], KEYS[2]
local lane, offset, isFirst = ARGV[1], ARGV[3], ARGV[4] == '1'
local subjectsMax, windowsMax, ttl = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])

local known = redis.call('HGET', progress, lane)
local knownOffset = known and tonumber(string.match(known, '^%d+')) or -1
local isJoined = knownOffset >= tonumber(ARGV[2])
if not isJoined and not isFirst then return 0 end
local reached = offset .. ':' .. ARGV[5]
if isJoined and knownOffset > tonumber(offset) then
  reached = isFirst and string.match(known, '^%d+') .. ':' .. ARGV[5] or known
end
redis.call('HSET', progress, lane, reached)
redis.call('EXPIRE', progress, ttl)

local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', subjects, '-inf', '(' .. (now - ttl))

local function admit(key)
  if not redis.call('ZSCORE', subjects, key) and redis.call('ZCARD', subjects) >= subjectsMax then return false end
  redis.call('ZADD', subjects, now, key)
  return true
end

local function raise(hash, field, text)
  if tonumber(redis.call('HGET', hash, field) or '-1') <= tonumber(text) then
    redis.call('HSET', hash, field, text)
    return true
  end
  return false
end

local function forget(key, first, text)
  local goneMs = tonumber(text)
  local hash = KEYS[first]
  redis.call('HSET', hash, 'gone', text)
  for kind = 1, ${WINDOW_KINDS.length} do redis.call('ZREMRANGEBYSCORE', KEYS[first + kind], '-inf', text) end
  if tonumber(redis.call('HGET', hash, 'assessed') or '-1') <= goneMs then redis.call('HDEL', hash, 'assessed', 'assessment') end
  if tonumber(redis.call('HGET', hash, 'seen') or '-1') <= goneMs then redis.call('HDEL', hash, 'seen') end
  if tonumber(redis.call('HGET', hash, 'newest') or '-1') <= goneMs then
    redis.call('HDEL', hash, 'newest')
    redis.call('ZREM', subjects, key)
  end
end

local function addWindow(hash, windows, text, value, isHeard)
  if redis.call('ZCOUNT', windows, text, text) == 0 then
    redis.call('ZADD', windows, text, text .. ':' .. value)
    redis.call('ZREMRANGEBYRANK', windows, 0, -(windowsMax + 1))
    redis.call('EXPIRE', windows, ttl)
  end
  if isHeard then raise(hash, 'seen', text) end
end

for at = ${HEAD + 1}, #ARGV, ${FIELDS} do
  local first = 3 + ${KEYS_PER_SUBJECT} * tonumber(ARGV[at])
  local hash = KEYS[first]
  local key, type, kind, text, value = ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3]), ARGV[at + 4], ARGV[at + 5]
  if tonumber(text) > tonumber(redis.call('HGET', hash, 'gone') or '-1') then
    if type == 'g' then
      forget(key, first, text)
    elseif admit(key) then
      raise(hash, 'newest', text)
      if type == 'a' then
        if raise(hash, 'assessed', text) then redis.call('HSET', hash, 'assessment', value) end
      else
        addWindow(hash, KEYS[first + kind], text, value, type == 'W')
      end
    end
    redis.call('EXPIRE', hash, ttl)
  end
end
return 1
`;

/** Names of the keys below a prefix. */
export class Keys {
  readonly progress: string;
  readonly subjects: string;
  readonly #prefix: string;

  /** @param prefix - of every key, such as `flyball:hot:`. */
  constructor(prefix: string) {
    this.#prefix = prefix;
    this.progress = `${prefix}progress`;
    this.subjects = `${prefix}subjects`;
  }

  subject(key: string): string {
    return `${this.#prefix}subject:${key}`;
  }

  windows(key: string, kind: WindowKind): string {
    return `${this.#prefix}windows:${kind}:${key}`;
  }
}

/** What the script is called with: the number of keys, the keys, the arguments. */
export function applyArguments(batch: HotBatch, keys: Keys, bounds: Bounds): (number | string | Buffer)[] {
  const { lane, fromOffset, offset, isFirst, isCaughtUp, changes } = batch;
  const subjects = [...new Set(changes.map(({ key }) => key))];
  const numberOf = new Map(subjects.map((key, index) => [key, index]));
  const keysOf = (key: string) => [keys.subject(key), ...WINDOW_KINDS.map((kind) => keys.windows(key, kind))];
  const named = [keys.progress, keys.subjects, ...subjects.flatMap(keysOf)];
  const head = [lane, fromOffset, offset, Number(isFirst), Number(isCaughtUp)];
  const rest = changes.flatMap((change) => [numberOf.get(change.key)!, ...fieldsOf(change)]);
  return [named.length, ...named, ...head, bounds.subjectsMax, bounds.windowsMax, bounds.ttlSec, ...rest];
}

function fieldsOf(change: HotChange): (number | string | Buffer)[] {
  const { key, endMs } = change;
  if (change.type === 'gone') return [key, 'g', 1, endMs, ''];
  const { buffer, byteOffset, byteLength } = change.value;
  const type = change.type === 'assessment' ? 'a' : change.isHeard ? 'W' : 'w';
  const kind = change.type === 'window' ? WINDOW_KINDS.indexOf(change.kind) + 1 : 1;
  return [key, type, kind, endMs, Buffer.from(buffer, byteOffset, byteLength)];
}
