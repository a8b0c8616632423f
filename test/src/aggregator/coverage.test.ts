import { AggregatorConfig } from '@flyball/aggregator';
import { OVERFLOW, partialsCodec, type Window } from '@flyball/contracts';
import { Prng } from '@flyball/core';
import { allRecords } from '@flyball/testing';
import { describe, expect, test } from 'vitest';
import { RAW, TwoPhases } from './two-phases.ts';

// Goal: whoever reads a window knows which share of what happened it saw: a window that claims more makes silence look
// like health, one that claims less for ever makes automation useless. Method: holes, clocks that jump back, refusals
// and restarts at random places, against an oracle that asks every half second of a window by itself.

const WINDOW_MS = 10_000;
const config = (changes: Partial<AggregatorConfig> = {}) =>
  AggregatorConfig.parse({
    windowMs: WINDOW_MS,
    graceMs: 5_000,
    settleMs: 15_000,
    subjectTtlMs: 3_600_000,
    ...changes,
  });

interface Blind {
  readonly partition: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Whether a partition cannot vouch for a window, asked instant by instant. */
function isBlindTo({ startMs, endMs }: Window, { fromMs, untilMs }: Blind, settleMs: number): boolean {
  for (let atMs = startMs; atMs < endMs; atMs += 500) if (atMs >= fromMs && atMs <= untilMs) return true;
  for (let atMs = untilMs + 500; atMs <= untilMs + settleMs; atMs += 500) if (atMs === endMs) return true;
  return false;
}

describe.each([1, 2, 3, 4, 5, 6])('seed %i', (seed) => {
  test('a window is vouched for by just the partitions that saw all of it, and whose senders had settled', async () => {
    const dice = new Prng(seed);
    const bench = await TwoPhases.open(config());
    const holes = Array.from({ length: RAW }, (_, partition): Blind => {
      const fromMs = (30 + dice.below(60)) * 1_000;
      return { partition, fromMs, untilMs: fromMs + dice.pick([6_000, 9_000, 13_000, 25_000]) };
    });
    await bench.tick(0);
    await bench.send(0, [{ endMs: 0 }]);
    for (let atMs = 1_000; atMs <= 200_000; atMs += 1_000) {
      const away = holes.filter(({ fromMs, untilMs }) => atMs > fromMs && atMs < untilMs);
      await bench.tick(
        atMs,
        away.map(({ partition }) => partition),
      );
      if (dice.chance(0.1)) await bench.restart();
    }
    const windows = await bench.windows();
    for (const window of windows) {
      const blind = new Set(holes.filter((hole) => isBlindTo(window, hole, 15_000)).map(({ partition }) => partition));
      expect(window.coverage, `window at ${window.startMs}`).toBeCloseTo((RAW - blind.size) / RAW);
    }
    expect(windows.some(({ coverage }) => coverage < 1)).toBe(true);
    expect(windows.filter(({ coverage }) => coverage === 1).length).toBeGreaterThan(5);
  });

  test('a clock that jumps back is not believed until it is where it was, also across a restart', async () => {
    const dice = new Prng(seed);
    const bench = await TwoPhases.open(config({ settleMs: 0 }));
    await bench.ticks(0, 40_000);
    await bench.send(1, [{ endMs: 39_500 }]);
    const backMs = 1_000 * (31 + dice.below(7));
    for (let atMs = backMs; atMs <= 120_000; atMs += 1_000) {
      await bench.tick(atMs);
      if (atMs < 44_000) await bench.restart();
    }
    for (const { startMs, coverage } of await bench.windows()) expect(coverage).toBe(startMs <= 40_000 ? 0 : 1);
  });

  test('a refusal is missing in every window since the tick before, for its tenant alone', async () => {
    const dice = new Prng(seed);
    const bench = await TwoPhases.open(config({ windowMs: 1_000, graceMs: 3_000, settleMs: 0 }));
    await bench.tick(0);
    for (const tenant of ['good', 'refused']) await bench.send(0, [{ endMs: 0 }], tenant);
    const offsetMs = dice.below(1_000);
    const since: number[] = [];
    for (let atMs = 1_000 + offsetMs; atMs <= 90_000; atMs += 1_000) {
      const isRefused = atMs < 70_000 && dice.chance(0.05);
      if (isRefused) since.push(atMs - 1_000);
      await bench.tick(atMs, [], isRefused ? { refused: 3 } : {});
      if (dice.chance(0.3)) await bench.restart();
    }
    expect(since.length).toBeGreaterThan(0);
    const windows = await bench.windows();
    const of = (name: string) => windows.filter(({ subject }) => subject.tenant === name);
    expect(new Set(of('good').map(({ coverage }) => coverage))).toEqual(new Set([1]));
    for (const { startMs, endMs, coverage } of of('refused')) {
      const isMissing = since.some((fromMs) => startMs <= fromMs + 1_000 && fromMs < endMs);
      if (isMissing) expect(coverage, `window at ${startMs}`).toBe(0);
      // It may be said of a few windows around it too, but not for ever.
      const isFar = since.every((fromMs) => endMs < fromMs - 3_000 || startMs > fromMs + 4_000);
      if (isFar) expect(coverage, `window at ${startMs}`).toBe(1);
    }
  });
});

test('what a partition refused while it was away for a moment is missing in the windows of that moment', async () => {
  const bench = await TwoPhases.open(config({ windowMs: 2_000, graceMs: 1_000, settleMs: 0 }));
  await bench.ticks(0, 40_000);
  await bench.send(0, [{ endMs: 40_000 }]);
  // Shorter than a hole that is blind for everybody.
  await bench.ticks(41_000, 44_000, [1]);
  await bench.tick(44_500, [0, 2], { default: 3 });
  await bench.ticks(45_000, 60_000);
  const byStart = new Map((await bench.windows()).map(({ startMs, coverage }) => [startMs, coverage]));
  for (const startMs of [40_000, 42_000, 44_000]) expect(byStart.get(startMs), `at ${startMs}`).toBeCloseTo(2 / 3);
  expect(byStart.get(50_000)).toBe(1);
});

describe('an entry that is left out', () => {
  test('of a raw partition costs this partition’s word for that time', async () => {
    const bench = await TwoPhases.open(config({ settleMs: 0 }));
    await bench.ticks(0, 40_000);
    await bench.skipNext('local:otlp_spans/1');
    bench.clock.nowMs = 40_500;
    await bench.send(1, [{ endMs: 40_500 }]);
    await bench.send(0, [{ endMs: 40_500 }]);
    await bench.restart();
    await bench.ticks(41_000, 100_000);
    const [hurt, ...rest] = (await bench.windows()).filter(({ startMs }) => startMs >= 40_000);
    expect(hurt).toMatchObject({ startMs: 40_000, spans: 1 });
    expect(hurt!.coverage).toBeCloseTo(2 / 3);
    expect(rest.every(({ coverage }) => coverage === 1)).toBe(true);
  });

  test('of partials costs everybody’s word for what was open', async () => {
    const bench = await TwoPhases.open(config({ settleMs: 0 }));
    await bench.tick(0);
    for (const service of ['a', 'b', 'c', 'd', 'e', 'f']) await bench.send(0, [{ endMs: 0, service }]);
    await bench.ticks(1_000, 40_000);
    await bench.skipNext('global:flyball.partials/1');
    await bench.ticks(41_000, 100_000);
    // The other lane lost nothing; in this one nothing was heard, so there is nothing to say.
    const windows = (await bench.windows()).filter(({ startMs }) => startMs === 30_000);
    expect(windows.map(({ coverage }) => coverage)).toEqual([1, 1, 1]);
    const after = (await bench.windows()).filter(({ startMs }) => startMs >= 50_000);
    expect(after.length).toBe(6 * 4);
    expect(after.every(({ coverage }) => coverage === 1)).toBe(true);
  });
});

test('a service that was not seen because we were blind is not gone', async () => {
  const bench = await TwoPhases.open(config({ subjectTtlMs: 60_000 }));
  await bench.tick(0);
  await bench.send(0, [{ endMs: 0 }]);
  for (let atMs = 1_000; atMs <= 300_000; atMs += 1_000) await bench.tick(atMs, [], { default: 1 });
  const messages = await bench.messages();
  expect(messages.filter(({ type }) => type === 'gone')).toEqual([]);
  expect(messages.filter((message) => message.type === 'window').length).toBeGreaterThan(20);
});

describe('beyond a limit', () => {
  test('of services there is one for all the others, and no span is lost', async () => {
    const bench = await TwoPhases.open(config({ subjectsMax: 5 }));
    await bench.tick(0);
    for (let request = 0; request < 30; request += 1) {
      const service = (index: number) => ({ endMs: 900, service: `s${request}-${index}` });
      await bench.send(request % RAW, [service(0), service(1)]);
    }
    await bench.ticks(1_000, 20_000);
    const windows = await bench.windows();
    expect(windows.reduce((sum, { spans }) => sum + spans, 0)).toBe(60);
    expect(windows.length).toBeLessThanOrEqual(2 * (5 + 1)); // Per lane, and the one for the others.
    expect(windows.some(({ subject }) => subject.service === OVERFLOW)).toBe(true);
    // Already the first phase keeps to the limit: else one request could make it say a million things.
    const partials = (await allRecords(bench.log, 'flyball.partials')).map((record) => partialsCodec.decode(record));
    expect(partials.filter(({ type }) => type === 'partial').length).toBe(RAW * (5 + 1));
  });

  test('of series over all windows what is above overflows, and what has closed makes room again', async () => {
    const bench = await TwoPhases.open(config({ seriesMax: 20, operationsMax: 100 }));
    await bench.tick(0);
    for (let round = 0; round < 20; round += 1) {
      const endMs = bench.clock.nowMs;
      const names = round % 2 === 0 ? 10 : 40;
      const spans = Array.from({ length: names }, (_, index) => ({
        endMs,
        name: `GET /${index}`,
        parentId: '2'.repeat(16),
        kind: 3,
      }));
      await bench.send(0, spans);
      await bench.ticks(endMs + 1_000, endMs + 30_000);
      const window = (await bench.windows()).find(({ startMs, endMs: end }) => startMs <= endMs && endMs < end)!;
      expect(window.series.reduce((sum, { count }) => sum + count, 0)).toBe(names);
      const named = window.series.filter(({ name }) => name !== OVERFLOW);
      expect(named, `round ${round}`).toHaveLength(Math.min(20, names));
    }
  });
});
