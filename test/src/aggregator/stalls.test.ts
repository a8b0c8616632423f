import { AggregatorConfig } from '@flyball/aggregator';
import { Prng } from '@flyball/core';
import { describe, expect, test } from 'vitest';
import { RAW, TwoPhases } from './two-phases.ts';

// Goal: a raw partition that is down costs coverage, and not all windows of everybody for ever; one that is only read slowly
// costs nothing. Method: a partition falls silent, with and without writers that say so, and with restarts at random places.

const WINDOW_MS = 10_000;
const STALL_MS = 30_000;
const DEAD = 2;
const CONFIG = AggregatorConfig.parse({ windowMs: WINDOW_MS, graceMs: 5_000, settleMs: 10_000, stallMs: STALL_MS });

/** Whether a writer says at `atMs` that the partition has not answered since `sinceMs`. */
type Says = (atMs: number, sinceMs: number) => Record<string, { ackedAtMs: number; forMs: number }>;
const honest: Says = (atMs, sinceMs) => ({ [DEAD]: { ackedAtMs: sinceMs, forMs: atMs - sinceMs } });

/** Ticks to all partitions until `deadMs`, then to all but one, until `endMs`; each writer says what it knows. */
async function story(writers: readonly Says[], seed?: number): Promise<TwoPhases> {
  const dice = new Prng(seed ?? 0);
  const bench = await TwoPhases.open(CONFIG);
  await bench.tick(0);
  for (let partition = 0; partition < RAW; partition += 1) await bench.send(partition, [{ endMs: 0 }]);
  for (let atMs = 1_000; atMs <= 200_000; atMs += 1_000) {
    const isDead = atMs > DEAD_AT_MS && atMs < BACK_AT_MS;
    if (!isDead) await bench.send(DEAD, [{ endMs: atMs, service: 'beside' }]);
    await bench.send(0, [{ endMs: atMs }]);
    for (const [index, says] of writers.entries()) {
      const isStalled = isDead && atMs - DEAD_AT_MS >= 2_000;
      const stalled = isStalled ? says(atMs, DEAD_AT_MS) : {};
      await bench.tick(atMs, isDead ? [DEAD] : [], {}, { writer: `w${index}`, stalled });
    }
    // As it comes: what is down depends on what was read when, and only on that.
    if (seed !== undefined && dice.chance(0.1)) await bench.restart();
    else await bench.run();
  }
  return bench;
}
const DEAD_AT_MS = 50_000;
const BACK_AT_MS = 150_000;

describe('a raw partition that falls silent', () => {
  test('holds every window while nobody says that it is down: it may only be read slowly', async () => {
    const bench = await story([() => ({})]);
    const windows = (await bench.windows()).filter(({ endMs }) => endMs > DEAD_AT_MS);
    // All came out once it was back, none with less than it should have.
    expect(windows.length).toBeGreaterThan(10);
    const whole = windows.filter(({ endMs, subject }) => endMs < DEAD_AT_MS && subject.service === 'checkout');
    expect(whole.every(({ spans }) => spans >= 10)).toBe(true);
  });

  test('is left out once every live writer has said so for long enough, and windows go on without it, uncovered', async () => {
    const bench = await story([honest, honest]);
    const windows = (await bench.windows()).filter(({ subject }) => subject.service === 'checkout');
    const during = windows.filter(({ startMs }) => startMs >= DEAD_AT_MS && startMs < BACK_AT_MS - 2 * WINDOW_MS);
    expect(during.length).toBeGreaterThanOrEqual(7);
    for (const { coverage, spans } of during) {
      expect(coverage).toBeCloseTo((RAW - 1) / RAW);
      expect(spans).toBe(10);
    }
    const after = windows.filter(({ startMs }) => startMs >= BACK_AT_MS + 20_000);
    expect(after.length).toBeGreaterThan(0);
    for (const { coverage } of after) expect(coverage).toBe(1);
  });

  test.each([
    ['one of the writers still reaches it', [honest, () => ({})]],
    ['it was acknowledged what was not read yet', [(atMs: number) => honest(atMs, atMs - STALL_MS)]],
    [
      'it has not been long enough',
      [(atMs: number) => ({ [DEAD]: { ackedAtMs: DEAD_AT_MS, forMs: Math.min(atMs, 20_000) } })],
    ],
  ] as [string, Says[]][])('is waited for while %s', async (_why, writers) => {
    const bench = await story(writers);
    const windows = (await bench.windows()).filter(({ subject }) => subject.service === 'checkout');
    // The partition's own hole is blindness when it comes back; but no window came out before.
    const log = await bench.messages();
    const order = log.filter((message) => message.type === 'window' && message.startMs >= DEAD_AT_MS);
    expect(order.length).toBeGreaterThan(0);
    expect(
      windows.filter(({ startMs, spans }) => startMs >= 60_000 && startMs < 190_000 && spans > 0).length,
    ).toBeGreaterThan(10);
    expect(windows.every(({ coverage }) => coverage !== 0)).toBe(true);
  });

  test.each([1, 2, 3])('is left out in the same way whatever is restarted (seed %i)', async (seed) => {
    const [calm, rough] = [await story([honest]), await story([honest], seed)];
    expect(await rough.windows()).toEqual(await calm.windows());
  });
});
