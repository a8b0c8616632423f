import { HOUR_MS, utf8 } from '@flyball/core';
import { laneName, type Log, type NewRecord, type Partition, type StoredRecord } from '@flyball/runtime';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** How the suite gets a log. Opened again, it is the same log, where the driver survives a close. */
export interface LogUnderTest {
  readonly open: () => Promise<Log>;
  readonly dispose?: () => Promise<void>;
}

const record = (text: string, headers: Record<string, string> = {}): NewRecord => ({
  key: `key-${text}`,
  headers,
  value: utf8(text),
});
const textsOf = (records: readonly StoredRecord[]) => records.map(({ value }) => new TextDecoder().decode(value));
const AT = { topic: 'facts', partition: 1 };

/**
 * The conformance suite of the port `Log`; `survives` says whether the driver outlives its process. Every driver runs it: what a lane relies on must hold whatever the
 * log is made of.
 */
export function logConformance(name: string, survives: boolean, make: () => Promise<LogUnderTest>): void {
  describe(`a log (${name})`, () => {
    let under: LogUnderTest;
    let log: Log;
    beforeEach(async () => {
      under = await make();
      log = await under.open();
      await log.create('facts', 3);
    });
    afterEach(async () => {
      await log.close();
      await under.dispose?.();
    });

    test('reads back what was appended, in order, with offsets from 0 without holes', async () => {
      const first = await log.append(AT, [record('a', { 'flyball-x': '1' }), record('b')]);
      const second = await log.append(AT, [record('c')]);
      expect([first.firstOffset, second.firstOffset]).toEqual([0, 2]);
      const records = await log.read(AT, 0, 1_000_000);
      expect(textsOf(records)).toEqual(['a', 'b', 'c']);
      expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2]);
      expect(records[0]).toMatchObject({ key: 'key-a', headers: { 'flyball-x': '1' } });
      expect(records[0]!.appendedAtMs).toBe(first.appendedAtMs);
      expect(await log.read({ ...AT, partition: 0 }, 0, 1_000)).toEqual([]);
      expect(await log.range(AT)).toEqual({ startOffset: 0, endOffset: 3 });
    });

    test('hands out at most so many bytes, but always one record, and nothing at the end', async () => {
      await log.append(
        AT,
        ['aaaa', 'bbbb', 'cccc'].map((text) => record(text)),
      );
      expect(textsOf(await log.read(AT, 0, 8))).toEqual(['aaaa', 'bbbb']);
      expect(textsOf(await log.read(AT, 1, 1))).toEqual(['bbbb']);
      expect(textsOf(await log.read(AT, 0, Infinity))).toEqual(['aaaa', 'bbbb', 'cccc']);
      expect(await log.read(AT, 3, 8)).toEqual([]);
    });

    test('gives every reader at least one record where there is one, however many read at once', async () => {
      await log.create('wide', 12);
      const wide = Array.from({ length: 12 }, (_, partition) => ({ topic: 'wide', partition }));
      const big = { key: '', headers: {}, value: new Uint8Array(900_000) };
      for (const at of wide) await log.append(at, [big, record('a')]);
      const read = await Promise.all(wide.map((at) => log.read(at, 0, 1)));
      expect(read.map(([first]) => first?.value.length)).toEqual(wide.map(() => 900_000));
      const rest = await Promise.all(wide.map((at) => log.read(at, 1, 1)));
      expect(rest.map((records) => records.length)).toEqual(wide.map(() => 1));
    });

    test('says so when a reader asks for what is gone, or for what is not there', async () => {
      await log.append(AT, [record('a'), record('b')]);
      await expect(log.read(AT, 3, 8)).rejects.toMatchObject({ code: 'LOG_TRUNCATED' });
      await log.trim(AT, 1);
      await expect(log.read(AT, 0, 8)).rejects.toMatchObject({ code: 'LOG_GAP' });
      expect(textsOf(await log.read(AT, 1, 8))).toEqual(['b']);
      expect(await log.range(AT)).toEqual({ startOffset: 1, endOffset: 2 });
    });

    test('goes on counting after everything was trimmed', async () => {
      await log.append(AT, [record('a'), record('b')]);
      await log.trim(AT, 99);
      expect(await log.range(AT)).toEqual({ startOffset: 2, endOffset: 2 });
      expect((await log.append(AT, [record('c')])).firstOffset).toBe(2);
    });

    test('fixes the number of partitions at birth', async () => {
      const { id } = await log.create('facts', 3);
      expect((await log.describe('facts')).id).toBe(id);
      await expect(log.create('facts', 4)).rejects.toMatchObject({ code: 'TOPIC_PARTITIONS', kind: 'rejected' });
      await expect(log.describe('nothing')).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' });
      await expect(log.append({ topic: 'facts', partition: 3 }, [record('a')])).rejects.toMatchObject({
        code: 'TOPIC_UNKNOWN',
      });
    });

    test('refuses a value that is too large, and stores nothing of that append', async () => {
      const huge = { key: '', headers: {}, value: new Uint8Array(17 * 1024 * 1024) };
      await expect(log.append(AT, [record('a'), huge])).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' });
      expect(await log.range(AT)).toEqual({ startOffset: 0, endOffset: 0 });
    });

    test('remembers how far a reader has come, and that it never lived', async () => {
      expect(await log.committed('local', AT)).toBeUndefined();
      await log.commit('local', AT, 7);
      await log.commit('local', AT, 5);
      expect(await log.committed('local', AT)).toBe(5);
      expect(await log.committed('local', { ...AT, partition: 0 })).toBeUndefined();
    });

    test('tells how far the lanes of a processor have come, and up to which time', async () => {
      expect(await log.progress('local', AT.topic)).toEqual(new Map());
      await log.commit(laneName('local', AT.topic, 0), { ...AT, partition: 0 }, 7, 1_700_000_000_123);
      await log.commit(laneName('local', AT.topic, 1), { ...AT, partition: 1 }, 3);
      await log.commit(laneName('global', AT.topic, 1), { ...AT, partition: 1 }, 9, 5);
      const local = new Map([
        [0, { offset: 7, reachedMs: 1_700_000_000_123 }],
        [1, { offset: 3, reachedMs: undefined }],
      ]);
      expect(await log.progress('local', AT.topic)).toEqual(local);
      await log.commit(laneName('local', AT.topic, 0), { ...AT, partition: 0 }, 8);
      expect((await log.progress('local', AT.topic)).get(0)).toEqual({ offset: 8, reachedMs: undefined });
    });

    test('wakes who waits at the end, and lets nobody wait for what is there', async () => {
      const woken = log.wait(AT, 0, HOUR_MS);
      await log.append(AT, [record('a')]);
      await woken;
      await log.wait(AT, 0, HOUR_MS);
      await log.wait(AT, 1, 1);
    });

    test('keeps appends that run side by side apart and in the order of each caller', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 12 }), async (sizes) => {
          const { endOffset: start } = await log.range(AT);
          const answers = await Promise.all(
            sizes.map((size, n) =>
              log.append(
                AT,
                Array.from({ length: size }, (_, i) => record(`${n}.${i}`)),
              ),
            ),
          );
          const read: StoredRecord[] = [];
          const { endOffset } = await log.range(AT);
          while (start + read.length < endOffset) read.push(...(await log.read(AT, start + read.length, 10)));
          sizes.forEach((size, n) => {
            const from = answers[n]!.firstOffset - start;
            const mine = textsOf(read.slice(from, from + size));
            expect(mine).toEqual(Array.from({ length: size }, (_, i) => `${n}.${i}`));
          });
        }),
        { numRuns: 20 },
      );
    });

    test('gives the only process of a group every partition of its topics', async () => {
      await log.create('more', 2);
      let owned: readonly Partition[] = [];
      const membership = await log.join('readers', ['facts', 'more'], (now) => (owned = now));
      const places = () => owned.map(({ topic, partition }) => `${topic}/${partition}`).sort();
      await expect.poll(places, { timeout: 10_000 }).toEqual(['facts/0', 'facts/1', 'facts/2', 'more/0', 'more/1']);
      await membership.leave();
      await membership.leave();
    });

    test('refuses use after close by name', async () => {
      await log.close();
      await log.close();
      await expect(log.append(AT, [record('a')])).rejects.toMatchObject({ code: 'LOG_CLOSED' });
      await expect(log.read(AT, 0, 8)).rejects.toMatchObject({ code: 'LOG_CLOSED' });
    });

    if (!survives) return;
    test('keeps records, offsets, commits and identity over a restart', async () => {
      const { id } = await log.describe('facts');
      await log.append(AT, [record('a', { h: '1' }), record('b')]);
      await log.append({ ...AT, partition: 0 }, [record('x')]);
      await log.trim(AT, 1);
      await log.trim({ ...AT, partition: 0 }, 1);
      await log.commit('local', AT, 2);
      await log.close();
      log = await under.open();
      expect(await log.describe('facts')).toEqual({ id, partitions: 3 });
      expect(await log.range(AT)).toEqual({ startOffset: 1, endOffset: 2 });
      expect(await log.range({ ...AT, partition: 0 })).toEqual({ startOffset: 1, endOffset: 1 });
      expect(textsOf(await log.read(AT, 1, 8))).toEqual(['b']);
      expect(await log.committed('local', AT)).toBe(2);
      expect((await log.append(AT, [record('c')])).firstOffset).toBe(2);
    });
  });
}
