import { UnavailableError } from '@flyball/core';
import { expect, test } from 'vitest';
import { Appender } from './appender.ts';
import type { Connection } from './connection.ts';

// Goal: an append that a broker may have kept is never said to be nowhere. Method: a connection whose tries end as planted.

const AT = { topic: 'facts', partition: 0 };
const lostLead = () => Promise.reject(Object.assign(new Error('planted'), { type: 'NOT_LEADER_FOR_PARTITION' }));
const noLeader = () => Promise.reject(new UnavailableError('LOG_UNAVAILABLE', 'planted: no leader'));
const taken = () =>
  Promise.resolve({ topics: [{ partitions: [{ partition: 0, baseOffset: '7', logAppendTime: '1000' }] }] });

/** @param tries - ends of one try after another: at a broker, or before it is known. */
function appenderOf(tries: readonly { readonly sent: boolean; readonly end: () => Promise<unknown> }[]): Appender {
  const left = [...tries];
  const connection = {
    withLeader: (_: unknown, work: (broker: unknown) => Promise<unknown>) => {
      const { sent, end } = left.shift()!;
      return sent ? work({ connectionPool: { send: end } }) : end();
    },
    refresh: async () => undefined,
  };
  return new Appender(connection as unknown as Connection, 1_000_000);
}

test('a try at a leader that lost its lead, and then none: nobody knows', async () => {
  const appender = appenderOf([
    { sent: true, end: lostLead },
    { sent: false, end: noLeader },
  ]);
  await expect(appender.append(AT, [])).rejects.toMatchObject({ code: 'LOG_APPEND_UNKNOWN' });
});

test('none from the start: nothing was written', async () => {
  const appender = appenderOf([{ sent: false, end: noLeader }]);
  await expect(appender.append(AT, [])).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
});

test('the next leader takes it', async () => {
  const appender = appenderOf([
    { sent: true, end: lostLead },
    { sent: true, end: taken },
  ]);
  expect(await appender.append(AT, [])).toEqual({ firstOffset: 7, appendedAtMs: 1_000 });
});
