import type { Assessment, Objective, Series, Signal, SignalsMessage, Standing, Window } from '@flyball/contracts';
import { textOf } from '@flyball/core';
import { Detector, DetectorConfig } from '@flyball/detector';
import { DurationSketch } from '@flyball/stats';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tellTo } from './simulated-service.ts';

// Goal: a service is held to what it promised from the moment it was said, by numbers that anybody can count, whatever is
// restarted; who promises nothing is judged as before.
// Method: examples, and random windows and words beside an oracle that keeps every window and counts anew each time.

const CONFIG = DetectorConfig.parse({ subjectsMax: 3 });
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SUBJECT = { tenant: 'default', environment: 'test', service: 'shop' };
/** A whole number of windows is a slot. */
const WINDOW_MS = MINUTE_MS;
const START_MS = 1_700_000_100_000 - (1_700_000_100_000 % (5 * MINUTE_MS));

/** What was served in a window: requests of 10 ms, of 150 ms and of 500 ms. */
interface Served {
  readonly quick: number;
  readonly slow: number;
  readonly slowest: number;
  readonly errors: number;
  readonly coverage: number;
}

function windowOf(endMs: number, { quick, slow, slowest, errors, coverage }: Served, subject = SUBJECT): Window {
  const sketch = new DurationSketch();
  for (const [count, ms] of [[quick, 10] as const, [slow, 150] as const, [slowest, 500] as const]) {
    for (let each = 0; each < count; each += 1) sketch.add(ms * 1_000);
  }
  const requests = quick + slow + slowest;
  const about = { view: 'service', name: '', kind: 0, count: requests, errors: Math.min(errors, requests) } as const;
  const texts = { slowestTraceId: 'aa', errorTraceId: 'ee' };
  const series: Series = { ...about, sumUs: 0, minUs: 0, maxUs: 0, sketch: sketch.toData(), ...texts };
  const counts = { spans: requests, lateSpans: 0, earlySpans: 0 };
  const times = { startMs: endMs - WINDOW_MS, endMs };
  const list = requests === 0 ? [] : [series];
  return { type: 'window', kind: 'traces', subject, ...times, coverage, ...counts, series: list, metrics: [] };
}

const badOf = (
  { quick, slow, slowest, errors }: Served,
  { sli, thresholdMs }: Pick<Objective, 'sli' | 'thresholdMs'>,
) => (sli === 'errors' ? Math.min(errors, quick + slow + slowest) : slowest + (thresholdMs! < 150 ? slow : 0));

type Told = { readonly objective: Objective; readonly afterMs: number } | Served;
const isWord = (told: Told): told is Exclude<Told, Served> => 'objective' in told;
const ERRORS: Objective = { sli: 'errors', objectiveRatio: 0.999, windowMs: 30 * DAY_MS, thresholdMs: null };
const LATENCY: Objective = { sli: 'latency', objectiveRatio: 0.9, windowMs: 7 * DAY_MS, thresholdMs: 300 };
const CALM: Served = { quick: 100, slow: 0, slowest: 0, errors: 0, coverage: 1 };

/** Everything by definition: keeps all, and counts again for each window. */
class Oracle {
  /** Whether a rate was just at its limit when `burning` was asked last: then doubles decide. */
  isTie = false;
  readonly #words: { readonly atMs: number; readonly objective: Objective }[] = [];
  readonly #windows: {
    readonly endMs: number;
    readonly served: Served;
    readonly held: readonly (Objective | undefined)[];
  }[] = [];

  say(atMs: number, objective: Objective): void {
    this.#words.push({ atMs, objective });
  }

  serve(endMs: number, served: Served): void {
    this.#windows.push({ endMs, served, held: [this.#held('errors', endMs), this.#held('latency', endMs)] });
  }

  #held(sli: Objective['sli'], endMs: number): Objective | undefined {
    return this.#words.findLast(({ atMs, objective }) => objective.sli === sli && atMs <= endMs)?.objective;
  }

  /** Windows since which the objective that holds now is counted: none with another threshold, or window, lies between. */
  #counted(index: 0 | 1, keys: readonly ('thresholdMs' | 'windowMs')[]) {
    const now = this.#windows.at(-1)!.held[index]!;
    const other = this.#windows.findLastIndex(({ held }) => keys.some((key) => held[index]?.[key] !== now[key]));
    return this.#windows.slice(other + 1);
  }

  #sum(
    list: readonly { readonly endMs: number; readonly served: Served }[],
    of: Objective,
    slotMs: number,
    overMs: number,
  ) {
    const sinceMs = this.#windows.at(-1)!.endMs - overMs;
    const kept = list.filter(({ endMs }) => {
      const startMs = endMs - WINDOW_MS;
      return startMs - (startMs % slotMs) + slotMs > sinceMs;
    });
    const requests = kept.reduce((sum, { served }) => sum + served.quick + served.slow + served.slowest, 0);
    return { requests, bad: kept.reduce((sum, { served }) => sum + badOf(served, of), 0) };
  }

  /** How fast a budget burns, by objective. */
  burn(index: 0 | 1, of: Objective, overMs: number) {
    const list = index === 0 ? this.#windows : this.#counted(index, ['thresholdMs']);
    const sum = this.#sum(list, of, 5 * MINUTE_MS, overMs);
    return { rate: sum.requests === 0 ? 0 : sum.bad / (sum.requests * (1 - of.objectiveRatio)), ...sum };
  }

  /** Series that must be open after the newest window. */
  burning(): { series: string; objective: Objective | undefined }[] {
    this.isTie = false;
    return ([0, 1] as const).flatMap((index) => {
      const objective = this.#windows.at(-1)!.held[index];
      if (index === 1 && objective === undefined) return [];
      const of = objective ?? { ...ERRORS, objectiveRatio: CONFIG.sloObjective };
      const rules = [
        { name: 'fast', hours: 1, short: 5 * MINUTE_MS, share: 0.02 },
        { name: 'slow', hours: 6, short: 30 * MINUTE_MS, share: 0.05 },
      ];
      return rules.flatMap(({ name, hours, short, share }) => {
        const limit = Math.max(1, (share * (of.windowMs / HOUR_MS)) / hours);
        const [long, near] = [this.burn(index, of, hours * HOUR_MS), this.burn(index, of, short)];
        const isBurning = near.bad >= 10 && Math.min(long.rate, near.rate) >= limit;
        this.isTie ||= [long, near].some(({ rate }) => Math.abs(rate - limit) < 1e-9);
        return isBurning ? [{ series: `burn ${index === 0 ? '' : 'latency '}${name}`, objective }] : [];
      });
    });
  }

  standings(): Standing[] {
    const { endMs, held } = this.#windows.at(-1)!;
    return ([0, 1] as const).flatMap((index) => {
      const objective = held[index];
      if (objective === undefined) return [];
      const list = this.#counted(index, ['thresholdMs', 'windowMs']);
      const { requests, bad } = this.#sum(list, objective, Math.ceil(objective.windowMs / 30), objective.windowMs);
      const sinceMs = Math.max(list[0]!.endMs - WINDOW_MS, endMs - objective.windowMs);
      const budgetLeftRatio = requests === 0 ? 1 : 1 - bad / (requests * (1 - objective.objectiveRatio));
      const burns = [5 * MINUTE_MS, HOUR_MS].map((overMs) => ({ overMs, ...this.burn(index, objective, overMs) }));
      return [{ objective, sinceMs, requests, bad, budgetLeftRatio, burns }];
    });
  }
}

/** A service, its detector, and what is open by what was said. */
class Promised {
  readonly oracle = new Oracle();
  readonly said: SignalsMessage[] = [];
  readonly open = new Map<string, Signal>();
  detector = new Detector(CONFIG, 0, 1);
  endMs = START_MS;

  tell(told: Told): Assessment | undefined {
    const before = this.said.length;
    if (isWord(told)) {
      const atMs = this.endMs + told.afterMs;
      this.oracle.say(atMs, told.objective);
      tellTo(this.detector, { type: 'objective', subject: SUBJECT, objective: told.objective, atMs }, this.said);
      return undefined;
    }
    this.endMs += WINDOW_MS;
    this.oracle.serve(this.endMs, told);
    tellTo(this.detector, windowOf(this.endMs, told), this.said);
    const said = this.said.slice(before);
    for (const message of said) {
      if (message.type === 'signal' && message.series.startsWith('burn')) this.open.set(message.series, message);
      if (message.type === 'calm') {
        for (const [series, { episodeId }] of this.open) if (episodeId === message.episodeId) this.open.delete(series);
      }
    }
    return said.find((message) => message.type === 'assessment');
  }

  restart(): void {
    const snapshot = this.detector.snapshot();
    this.detector = new Detector(CONFIG, 0, 1);
    this.detector.restore(snapshot);
    expect(textOf(this.detector.snapshot())).toBe(textOf(snapshot));
  }
}

const close = (list: readonly Standing[] | undefined) =>
  list?.map(({ budgetLeftRatio, burns, ...rest }) => {
    const rates = burns.map(({ rate, ...more }) => ({ ...more, rate: expect.closeTo(rate, 6) as number }));
    return { ...rest, budgetLeftRatio: expect.closeTo(budgetLeftRatio, 6) as number, burns: rates };
  }) ?? [];

test('alarms, budgets and burn rates are those that anybody can count, whatever is promised when, and whatever restarts', () => {
  const served = fc.record({
    quick: fc.constantFrom(0, 20, 100, 100),
    slow: fc.constantFrom(0, 0, 4, 30),
    slowest: fc.constantFrom(0, 0, 2, 20),
    errors: fc.constantFrom(0, 0, 1, 3, 30),
    coverage: fc.constantFrom(1, 1, 1, 0.5),
  });
  const objective = fc.oneof(
    fc.record({
      sli: fc.constant('errors' as const),
      objectiveRatio: fc.constantFrom(0.9, 0.99, 0.999),
      windowMs: fc.constantFrom(DAY_MS, 7 * DAY_MS, 30 * DAY_MS),
      thresholdMs: fc.constant(null),
    }),
    fc.record({
      sli: fc.constant('latency' as const),
      objectiveRatio: fc.constantFrom(0.5, 0.9, 0.99),
      windowMs: fc.constantFrom(DAY_MS, 30 * DAY_MS),
      thresholdMs: fc.constantFrom(100, 300),
    }),
  );
  // A word may be heard minutes before the windows of its time.
  const word = fc.record({ objective, afterMs: fc.constantFrom(0, WINDOW_MS, 3 * WINDOW_MS) });
  const step = fc.record({
    word: fc.option(word, { freq: 2 }),
    served,
    repeat: fc.constantFrom(1, 4, 40, 100),
    restarts: fc.boolean(),
  });
  let alarms = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const world = new Promised();
      for (const { word: next, served: each, repeat, restarts } of steps) {
        if (next !== null) world.tell(next);
        if (restarts) world.restart();
        for (let index = 0; index < repeat; index += 1) {
          const assessment = world.tell(each)!;
          expect(assessment.standings ?? []).toEqual(close(world.oracle.standings()));
          if (each.coverage < 1) continue;
          const burning = world.oracle.burning();
          if (world.oracle.isTie) continue;
          expect([...world.open.keys()].sort()).toEqual(burning.map(({ series }) => series).sort());
          alarms += burning.filter(({ objective: by }) => by !== undefined).length;
        }
      }
    }),
    { numRuns: 60 },
  );
  expect(alarms).toBeGreaterThan(500);
}, 60_000);

test('who promises more is alarmed of sooner, by the objective that is on record, and says so', () => {
  const [loose, strict] = [new Promised(), new Promised()];
  strict.tell({ objective: ERRORS, afterMs: 0 });
  for (const world of [loose, strict]) {
    for (let minute = 0; minute < 60; minute += 1) world.tell(CALM);
    for (let minute = 0; minute < 70; minute += 1) world.tell({ ...CALM, errors: 3 });
  }
  // 3 % failed: three times what 99 % allows, thirty times what 99.9 % does.
  expect([...loose.open.keys()]).toEqual([]);
  expect(strict.open.get('burn fast')).toMatchObject({
    ...{ kind: 'availability', objective: ERRORS, expected: 14.4, traceId: 'ee', sli: null },
  });
});

test('slow requests burn the budget of latency, and of nothing else', () => {
  const world = new Promised();
  world.tell({ objective: LATENCY, afterMs: 0 });
  for (let minute = 0; minute < 60; minute += 1) world.tell({ ...CALM, slowest: 60 });
  expect([...world.open.keys()].sort()).toEqual(['burn latency fast', 'burn latency slow']);
  const signal = world.open.get('burn latency fast');
  expect(signal).toMatchObject({ kind: 'latency', objective: LATENCY, traceId: 'aa' });
  // 2 % of a budget of seven days within an hour.
  expect(signal!.expected).toBeCloseTo(3.36, 9);
});

test('a word counts from its time on, not from when it is heard', () => {
  const world = new Promised();
  world.tell({ objective: ERRORS, afterMs: 2 * WINDOW_MS });
  expect(world.tell(CALM)!.standings).toBeUndefined();
  expect(world.tell(CALM)!.standings).toMatchObject([{ objective: ERRORS, requests: 100, bad: 0, budgetLeftRatio: 1 }]);
});

test('what is left of a budget outlasts a service that falls silent and comes back', () => {
  const world = new Promised();
  world.tell({ objective: ERRORS, afterMs: 0 });
  for (let minute = 0; minute < 10; minute += 1) world.tell({ ...CALM, errors: 1 });
  tellTo(world.detector, { type: 'gone', subject: SUBJECT, endMs: world.endMs }, world.said);
  world.restart();
  const [standing] = world.tell(CALM)!.standings!;
  expect(standing).toMatchObject({ requests: 1_100, bad: 10 });
  expect(standing!.budgetLeftRatio).toBeCloseTo(1 - 10 / 1.1, 6);
});

test('what is promised of ever more services, ever again, stays bounded', () => {
  const world = new Promised();
  const sizes = [200, 2_000].map((count) => {
    for (let index = 0; index < count; index += 1) {
      const subject = { ...SUBJECT, service: `s${index % 100}` };
      const objective = index % 2 === 0 ? ERRORS : LATENCY;
      tellTo(world.detector, { type: 'objective', subject, objective, atMs: 1_000_000 + index }, world.said);
    }
    return world.detector.snapshot().length;
  });
  expect(sizes[1]).toBeLessThanOrEqual(sizes[0]! + 100);
});

test('a state of before objectives is read, and one without them is written as it was then', () => {
  const world = new Promised();
  for (let minute = 0; minute < 5; minute += 1) world.tell(CALM);
  expect(textOf(world.detector.snapshot())).not.toContain('promises');
  world.restart();
  world.tell({ objective: ERRORS, afterMs: 0 });
  expect(world.tell(CALM)!.standings).toHaveLength(1);
});
