import { Prng } from '@flyball/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BETS, healthBet, log10Mean, rateBets, shareBets } from './evidence.ts';

// Goal: a healthy release is not blamed, however often one looks; a bad one is, also at one request a minute.
// Method: seeded streams, looked at after every window, with the rule "stop at the first e-value above 100".

const WINDOWS = 60;
const RUNS = 400;

function binomial(dice: Prng, total: number, rate: number): number {
  let bad = 0;
  for (let request = 0; request < total; request += 1) if (dice.chance(rate)) bad += 1;
  return bad;
}

/** Window at which the canary is found out, or `undefined`. */
function foundAt(
  dice: Prng,
  at: { total: number; control: number; rate: number; controlRate: number },
): number | undefined {
  let logs = new Array<number>(BETS).fill(0);
  for (let window = 1; window <= WINDOWS; window += 1) {
    const streams = {
      bad: binomial(dice, at.total, at.rate),
      total: at.total,
      controlBad: binomial(dice, at.control, at.controlRate),
      controlTotal: at.control,
    };
    const bets = shareBets(streams);
    logs = logs.map((log, index) => log + bets[index]!);
    if (log10Mean(logs) >= 2) return window;
  }
  return undefined;
}

describe('two streams', () => {
  test.each([0.001, 0.005, 0.05, 0.3])('an equal rate of %d is blamed in at most 1 %% of runs', (rate) => {
    const dice = new Prng(11);
    const blamed = Array.from({ length: RUNS }, () =>
      foundAt(dice, { total: 10, control: 30, rate, controlRate: rate }),
    );
    expect(blamed.filter((window) => window !== undefined).length).toBeLessThanOrEqual(RUNS * 0.01 + 3);
  });

  test.each([
    ['18 % against 0.3 % at a quarter of 40 requests', { total: 10, control: 30, rate: 0.18, controlRate: 0.003 }, 6],
    ['30 % against 0.5 % at 12 requests a window', { total: 12, control: 108, rate: 0.3, controlRate: 0.005 }, 3],
    ['5 % against 0.5 % at 60 requests', { total: 60, control: 540, rate: 0.05, controlRate: 0.005 }, 8],
    ['30 % against 0.5 % at 3 requests', { total: 3, control: 27, rate: 0.3, controlRate: 0.005 }, 12],
  ])('%s is found', (_name, at, medianMax) => {
    const dice = new Prng(5);
    const found = Array.from({ length: RUNS }, () => foundAt(dice, at) ?? Infinity).sort((a, b) => a - b);
    expect(found[RUNS / 2]).toBeLessThanOrEqual(medianMax);
    expect(found[Math.floor(RUNS * 0.95)]).toBeLessThan(Infinity);
  });

  test('a rate that rises for both is nobody’s fault', () => {
    const dice = new Prng(3);
    const blamed = Array.from({ length: RUNS }, () =>
      foundAt(dice, { total: 10, control: 30, rate: 0.18, controlRate: 0.18 }),
    );
    expect(blamed.filter((window) => window !== undefined).length).toBeLessThanOrEqual(RUNS * 0.01 + 3);
  });
});

describe('one stream against a known rate', () => {
  test('the right rate is doubted in at most 1 % of runs, a tenfold one always', () => {
    const dice = new Prng(7);
    const doubted = (rate: number) =>
      Array.from({ length: RUNS }, () => {
        let logs = new Array<number>(BETS).fill(0);
        for (let window = 0; window < WINDOWS; window += 1) {
          const bad = binomial(dice, 20, rate);
          const bets = rateBets(bad, 20 - bad, 0.01);
          logs = logs.map((log, index) => log + bets[index]!);
          if (log10Mean(logs) >= 2) return true;
        }
        return false;
      }).filter(Boolean).length;
    expect(doubted(0.01)).toBeLessThanOrEqual(RUNS * 0.01 + 3);
    expect(doubted(0.1)).toBe(RUNS);
  });
});

test('health needs evidence too: good requests add to it, bad ones take more away', () => {
  const rates = { rate: 0.003, worseRate: 0.023 };
  expect(healthBet(0, 100, rates)).toBeGreaterThan(0);
  expect(healthBet(1, 0, rates)).toBeLessThan(-1);
  expect(healthBet(0, 230, rates) / Math.LN10).toBeGreaterThan(2);
});

test('no counts, however large, give something that is not a number', () => {
  const count = fc.integer({ min: 0, max: 1e9 });
  fc.assert(
    fc.property(
      count,
      count,
      count,
      count,
      fc.double({ min: 1e-4, max: 0.99, noNaN: true }),
      (bad, more, controlBad, controlMore, rate) => {
        const streams = { bad, total: bad + more, controlBad, controlTotal: controlBad + controlMore };
        for (const logs of [shareBets(streams), rateBets(bad, more, rate)])
          expect(Number.isNaN(log10Mean(logs))).toBe(false);
      },
    ),
  );
});
