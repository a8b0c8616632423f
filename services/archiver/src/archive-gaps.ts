import { rfc3339 } from '@flyball/core';

/** Records that an archive should hold and does not. */
export interface Gap {
  readonly topic: string;
  readonly partition: number;
  /** Offsets `[fromOffset, toOffset)`; `null`: nobody knows how many more there are. */
  readonly fromOffset: number;
  readonly toOffset: number | null;
  /** They were appended at or after this instant, ms; `null`: from the beginning on. */
  readonly afterMs: number | null;
  /** … and at or before this one, ms; `null`: until now. */
  readonly beforeMs: number | null;
  /**
   * `deleted`: by the archive's own retention. `missing`: an object, or a manifest, is not there. `corrupt`: it is not what it was.
   * `not_archived`: the archive ends before.
   */
  readonly reason: 'deleted' | 'missing' | 'corrupt' | 'not_archived';
  /** The object that is missing or corrupt, where one can be named. */
  readonly object: string;
}

/** A gap as one line for a person. */
export function describeGap({
  topic,
  partition,
  fromOffset,
  toOffset,
  afterMs,
  beforeMs,
  reason,
  object,
}: Gap): string {
  const offsets = toOffset === null ? `from offset ${fromOffset} on` : `offsets ${fromOffset} to ${toOffset - 1}`;
  const after = afterMs === null ? 'the beginning' : rfc3339(afterMs);
  const before = beforeMs === null ? 'now' : rfc3339(beforeMs);
  const why = `${reason.replace('_', ' ')}${object === '' ? '' : `: ${object}`}`;
  return `${topic}/${partition} ${offsets} (${after} to ${before}) ${why}`;
}
