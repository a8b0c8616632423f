import { signalsCodec, subjectKey, type Topic, windowsCodec } from '@flyball/contracts';
import type { HotChange, StoredRecord } from '@flyball/runtime';

/** What a record says to the hot store, or `undefined` where it says nothing. Throws when it cannot be read. */
export type ReadChange = (record: StoredRecord) => HotChange | undefined;

/** The topics that the hot store shows, and how each is read. */
export const HOT_TOPICS: readonly (readonly [Topic, ReadChange])[] = [
  ['flyball.windows', windowChange],
  ['flyball.signals', assessmentChange],
];

function windowChange(record: StoredRecord): HotChange | undefined {
  const message = windowsCodec.decode(record);
  if (message.type === 'closed' || message.type === 'objective') return undefined;
  const { type, endMs } = message;
  const key = subjectKey(message.subject);
  if (type === 'gone') return { type, key, endMs };
  return { type, kind: message.kind, key, endMs, value: record.value, isHeard: message.spans > 0 };
}

function assessmentChange(record: StoredRecord): HotChange | undefined {
  const message = signalsCodec.decode(record);
  if (message.type !== 'assessment') return undefined;
  return { type: 'assessment', key: subjectKey(message.subject), endMs: message.endMs, value: record.value };
}
