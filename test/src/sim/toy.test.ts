import { allRecords, seen } from '@flyball/testing';
import { describe, expect, test } from 'vitest';
import { CALM, ROUGH, runToy, toyOracle, toyTotals } from './toy-world.ts';

// Goal: whatever dies, and in whatever order lanes run, a user's numbers are right and an alarm is raised once.
// Method: a small line of three stages runs over the same facts twice, calm and rough (crashes, zombies, lost and
// half-written and late appends, a full log), in an order drawn from a seed. Past the marks both logs must be
// equal, and equal to an oracle over the facts. A failing seed is a complete bug report: npm run sim -- SEED.

const SEEDS = process.env['SIM_SEED']
  ? [Number(process.env['SIM_SEED'])]
  : Array.from({ length: 24 }, (_, index) => index + 1);

describe.each(SEEDS)('seed %i', (seed) => {
  test('a rough run equals a calm one, and both equal the oracle', async () => {
    const calm = await runToy(seed, CALM);
    const rough = await runToy(seed, ROUGH);
    const oracle = await toyOracle(calm.log);
    for (const { log } of [calm, rough]) {
      const { totals, late } = await toyTotals(log);
      expect(new Map([...totals].sort())).toEqual(new Map([...oracle.totals].sort()));
      expect(new Map([...late].sort())).toEqual(new Map([...oracle.late].sort()));
      expect((await seen(log, 'dead')).length).toBe(oracle.unreadable);
    }
    for (const topic of ['parts', 'totals', 'alarms', 'dead']) {
      expect(await seen(rough.log, topic), topic).toEqual(await seen(calm.log, topic));
      // Without a fault nothing is written twice: marks must not hide a stage that repeats itself.
      expect((await allRecords(calm.log, topic)).length, topic).toBe((await seen(calm.log, topic)).length);
    }

    // The scenario must have met what it is about, or it proves nothing.
    const { crashes, zombies, failures, checkpoints } = rough.world.report;
    for (const count of [crashes, zombies, failures, checkpoints]) expect(count).toBeGreaterThan(5);
    expect(oracle.duplicates).toBeGreaterThan(5);
    expect(oracle.unreadable).toBeGreaterThan(0);
    expect(oracle.late.size).toBeGreaterThan(0);
    expect((await seen(calm.log, 'alarms')).length).toBeGreaterThan(0);
    const twice = (await allRecords(rough.log, 'totals')).length - (await seen(rough.log, 'totals')).length;
    expect(twice).toBeGreaterThan(0);
  });
});
