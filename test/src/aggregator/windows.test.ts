import { AggregatorConfig } from '@flyball/aggregator';
import { deadLettersCodec, OVERFLOW, type Series, type Window } from '@flyball/contracts';
import { Prng, slotStartMs } from '@flyball/core';
import { DurationSketch } from '@flyball/stats';
import { allRecords, recordsOf, type TestSpan } from '@flyball/testing';
import { describe, expect, test } from 'vitest';
import { RAW, TwoPhases } from './two-phases.ts';

// Goal: a user's counts, errors and latencies are exactly those of the spans that came in time; what came too late,
// or could not be seen, is said and never guessed. Method: spans are written through both phases and compared with
// an oracle that groups the very same spans, with tables and code of its own.

const BASE_MS = 1_700_000_000_000;
const CONFIG = AggregatorConfig.parse({
  windowMs: 10_000,
  graceMs: 5_000,
  settleMs: 15_000,
  operationsMax: 3,
  subjectTtlMs: 60_000,
});

const serviceOf = (window: Window | undefined): Series | undefined =>
  window?.series.find(({ view }) => view === 'service');

describe('a window', () => {
  test('equals what an oracle makes of the same spans, and window + late + early = stored', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const dice = new Prng(seed);
      const bench = await TwoPhases.open(AggregatorConfig.parse({ windowMs: 10_000, graceMs: 5_000 }));
      const oracle = new Map<
        string,
        {
          spans: number;
          series: Map<
            string,
            { count: number; errors: number; sumUs: number; min: number; max: number; sketch: DurationSketch }
          >;
        }
      >();
      const missed = { late: 0, early: 0 };
      let sent = 0;
      for (let second = 0; second < 90; second += 1) {
        await bench.tick(BASE_MS + second * 1_000);
        for (let request = dice.below(5); request > 0; request -= 1) {
          bench.clock.nowMs = Math.max(
            bench.clock.nowMs,
            BASE_MS + second * 1_000 + (dice.chance(0.5) ? 0 : dice.below(1_000)),
          );
          const spans: TestSpan[] = Array.from({ length: dice.below(8) }, () => ({
            service: dice.pick(['web', 'checkout', 'pay']),
            version: dice.pick(['v1', 'v2']),
            instance: dice.pick(['a', 'b', 'c']),
            environment: dice.pick(['prod', 'stage']),
            name: dice.pick(['GET /', 'POST /x', 'db']),
            kind: dice.pick([1, 2, 3, 5]),
            ...(dice.chance(0.8) && { parentId: '2'.repeat(16) }),
            isError: dice.chance(0.2),
            durationUs: dice.below(dice.chance(0.1) ? 2 : 500_000),
            // Also exactly as far ahead as may be, and to the millisecond too late.
            endMs:
              bench.clock.nowMs +
              (dice.chance(0.02)
                ? dice.pick([60_000, 60_001, 200_000])
                : -dice.below(dice.chance(0.3) ? 40_000 : 3_000)),
          }));
          await bench.send(dice.below(RAW), spans);
          sent += spans.length;
          for (const span of spans) {
            const startMs = slotStartMs(span.endMs, 10_000);
            if (span.endMs > bench.clock.nowMs + 60_000) missed.early += 1;
            else if (bench.clock.nowMs >= startMs + 15_000) missed.late += 1;
            else {
              const place = `${startMs} ${span.environment} ${span.service}`;
              const window = oracle.get(place) ?? { spans: 0, series: new Map() };
              oracle.set(place, window);
              window.spans += 1;
              const isRequest = span.kind === 2 || span.kind === 5 || span.parentId === undefined;
              const names = [
                `operation ${span.name} ${span.kind}`,
                ...(isRequest ? ['service  0', `version ${span.version} 0`, `instance ${span.instance} 0`] : []),
              ];
              for (const name of names) {
                const sum = window.series.get(name) ?? {
                  count: 0,
                  errors: 0,
                  sumUs: 0,
                  min: Infinity,
                  max: 0,
                  sketch: new DurationSketch(),
                };
                window.series.set(name, sum);
                sum.count += 1;
                sum.errors += span.isError ? 1 : 0;
                sum.sumUs += span.durationUs!;
                sum.min = Math.min(sum.min, span.durationUs!);
                sum.max = Math.max(sum.max, span.durationUs!);
                sum.sketch.add(span.durationUs!);
              }
            }
          }
        }
      }
      await bench.ticks(BASE_MS + 90_000, BASE_MS + 190_000);
      const windows = await bench.windows();
      const found = new Map(
        windows
          .filter(({ spans }) => spans > 0)
          .map((window) => [
            `${window.startMs} ${window.subject.environment} ${window.subject.service}`,
            {
              spans: window.spans,
              series: new Map(
                window.series.map(({ view, name, kind, count, errors, sumUs, minUs, maxUs, sketch }) => [
                  `${view} ${name} ${kind}`,
                  { count, errors, sumUs, min: minUs, max: maxUs, sketch },
                ]),
              ),
            },
          ]),
      );
      const expected = new Map(
        [...oracle].map(([place, { spans, series }]) => [
          place,
          {
            spans,
            series: new Map(
              [...series].map(([name, { sketch, ...rest }]) => [name, { ...rest, sketch: sketch.toData() }]),
            ),
          },
        ]),
      );
      expect(found).toEqual(expected);
      const sum = (pick: (window: Window) => number) => windows.reduce((total, window) => total + pick(window), 0);
      expect(sum(({ lateSpans }) => lateSpans)).toBe(missed.late);
      expect(sum(({ earlySpans }) => earlySpans)).toBe(missed.early);
      expect(sum(({ spans }) => spans) + missed.late + missed.early).toBe(sent);
      expect(Math.min(missed.late, missed.early)).toBeGreaterThan(0);
      expect(windows.every(({ coverage }) => coverage === 1)).toBe(true);
    }
  });

  test('waits for the time of every raw partition, however far the others are', async () => {
    const bench = await TwoPhases.open(CONFIG);
    await bench.tick(0);
    await bench.send(0, [{ endMs: 1_000 }]);
    await bench.ticks(1_000, 60_000, [2]);
    expect(await bench.windows()).toEqual([]);
    // Partition 2 catches up: its entries are old, and the hole was in nobody's time but its own.
    await bench.tick(61_000, [0, 1]);
    expect((await bench.windows()).length).toBeGreaterThan(0);
  });

  test('is emitted for a subject that fell silent, until it is gone', async () => {
    const bench = await TwoPhases.open(CONFIG);
    await bench.tick(0);
    await bench.send(1, [{ endMs: 500 }]);
    await bench.ticks(1_000, 120_000);
    const messages = await bench.messages();
    const windows = messages.filter((message) => message.type === 'window');
    expect(windows.map(({ spans }) => spans)).toEqual([1, 0, 0, 0, 0, 0, 0]);
    expect(messages.filter(({ type }) => type === 'gone')).toHaveLength(1);
  });

  test('keeps what is above a limit in an overflow series, and loses no count', async () => {
    const bench = await TwoPhases.open(CONFIG);
    await bench.tick(0);
    await bench.send(
      0,
      Array.from({ length: 20 }, (_, index) => ({ endMs: 900, name: `GET /${index}` })),
    );
    await bench.ticks(1_000, 20_000);
    const operations = (await bench.windows())[0]!.series.filter(({ view }) => view === 'operation');
    expect(operations).toHaveLength(4);
    expect(operations.find(({ name }) => name === OVERFLOW)?.count).toBe(17);
  });
});

/** Far below what Kafka takes, and what DESIGN allows an emission. */
const EMISSION_BYTES_MAX = 900_000;

test('names of any length fit the log: every emission is small, however long and many they are', async () => {
  const bench = await TwoPhases.open(AggregatorConfig.parse({ windowMs: 10_000, graceMs: 5_000 }));
  const long = (start: string) => `${start}${'é'.repeat(32_000)}`;
  await bench.tick(0);
  for (let index = 0; index < 150; index += 1) {
    const about = { version: long(`v${index % 25}`), instance: long(`i${index}`), environment: long('prod') };
    await bench.send(0, [{ endMs: 900, name: long(`GET /${index}`), service: long('web'), ...about }]);
  }
  await bench.ticks(1_000, 20_000);
  const [window] = await bench.windows();
  expect(window).toMatchObject({ spans: 150 });
  expect(window!.series.filter(({ view }) => view === 'operation')).toHaveLength(101);
  for (const topic of ['flyball.partials', 'flyball.windows']) {
    const sizes = (await allRecords(bench.log, topic)).map(({ value }) => value.length);
    expect(Math.max(...sizes), topic).toBeLessThan(EMISSION_BYTES_MAX);
  }
});

describe('coverage', () => {
  test('a hole in a raw partition covers neither its windows nor those that end while senders settle', async () => {
    const bench = await TwoPhases.open(CONFIG);
    await bench.ticks(0, 30_000);
    await bench.send(0, [{ endMs: 29_900 }]);
    await bench.ticks(42_000, 120_000); // Nothing between 30 s and 42 s.
    const windows = await bench.windows();
    const byStart = new Map(windows.map(({ startMs, coverage }) => [startMs, coverage]));
    expect(byStart.get(20_000)).toBe(1);
    // Of these nothing is known and nothing was heard: they are passed over.
    for (const startMs of [30_000, 40_000]) expect(byStart.get(startMs)).toBeUndefined();
    expect([byStart.get(50_000), byStart.get(60_000)]).toEqual([1, 1]); // 42 s + 15 s of settling end at 57 s.
  });

  test('one partition’s hole costs one partition’s share', async () => {
    const bench = await TwoPhases.open(CONFIG);
    await bench.ticks(0, 20_000);
    await bench.send(0, [{ endMs: 19_900 }]);
    await bench.ticks(21_000, 33_000, [1]);
    await bench.ticks(34_000, 90_000);
    const at20 = (await bench.windows()).find(({ startMs }) => startMs === 20_000);
    expect(at20?.coverage).toBeCloseTo(2 / 3);
  });

  test('a clock that jumps back does not move anybody, and is not believed', async () => {
    const bench = await TwoPhases.open(CONFIG);
    await bench.ticks(0, 30_000);
    await bench.send(0, [{ endMs: 29_900 }]);
    await bench.ticks(12_000, 60_000);
    const windows = await bench.windows();
    expect(windows.map(({ startMs }) => startMs)).toEqual([...new Set(windows.map(({ startMs }) => startMs))]);
    expect(windows.find(({ startMs }) => startMs === 20_000)?.coverage).toBeLessThan(1);
    expect(serviceOf(windows.find(({ startMs }) => startMs === 20_000))?.count).toBe(1);
  });

  test('what ingest refused is missing in its windows, for that tenant', async () => {
    const bench = await TwoPhases.open(CONFIG);
    await bench.ticks(0, 21_000);
    await bench.send(0, [{ endMs: 20_900 }]);
    await bench.tick(22_000, [], { default: 5 });
    await bench.ticks(23_000, 80_000);
    const byStart = new Map((await bench.windows()).map(({ startMs, coverage }) => [startMs, coverage]));
    expect(byStart.get(20_000)).toBe(0);
    expect(byStart.get(50_000)).toBe(1);
  });

  test('a sleep of hours costs no subject, and no flood of windows', async () => {
    const bench = await TwoPhases.open(CONFIG);
    await bench.ticks(0, 20_000);
    await bench.send(0, [{ endMs: 19_900 }]);
    await bench.ticks(21_000, 40_000);
    await bench.ticks(40_000 + 8 * 3_600_000, 40_000 + 8 * 3_600_000 + 40_000);
    const messages = await bench.messages();
    expect(messages.filter(({ type }) => type === 'gone')).toEqual([]);
    expect(messages.length).toBeLessThan(100);
    expect(messages.filter((message) => message.type === 'window').at(-1)!.coverage).toBe(1);
  });
});

test('bytes of a foreign producer that are no request are a dead letter, and cost nobody else anything', async () => {
  const bench = await TwoPhases.open(CONFIG);
  await bench.tick(0);
  await bench.log.append({ topic: 'otlp_spans', partition: 0 }, [
    { key: '', headers: {}, value: new Uint8Array([1, 2, 3]) },
  ]);
  await bench.send(0, [{ endMs: 900 }]);
  await bench.ticks(1_000, 20_000);
  expect(serviceOf((await bench.windows())[0])?.count).toBe(1);
  const lists = await Promise.all(
    [0, 1].map((partition) => recordsOf(bench.log, { topic: 'flyball.dead_letters', partition })),
  );
  expect(lists.flat().map((record) => deadLettersCodec.decode(record))).toMatchObject([
    { lane: 'local:otlp_spans/0', code: 'OTLP_MALFORMED' },
  ]);
});
