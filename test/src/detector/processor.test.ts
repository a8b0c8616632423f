import { OVERFLOW, type SignalsMessage, WINDOW_KINDS, type WindowKind } from '@flyball/contracts';
import { textOf } from '@flyball/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Detector, DetectorConfig } from '@flyball/detector';
import { CONFIG, SimulatedService, tellTo } from './simulated-service.ts';

// Goal: an operator may kill the detector at any time, and nobody reads a different story afterwards; time and holes are
// passed on truthfully, or the planner acts on half of what is known.
// Method: examples, and random windows with restarts at random places beside a detector that is never restarted.

test('time passes on when every lane has passed it, with every kind of window', () => {
  const detector = new Detector(CONFIG, 2, 2);
  const said: SignalsMessage[] = [];
  const from = (lane: number) => `global:flyball.partials/${lane}`;
  const close = (lane: number, kinds: readonly WindowKind[], endMs: number, coverage: number) => {
    for (const kind of kinds) tellTo(detector, { type: 'closed', kind, from: from(lane), endMs, coverage }, said);
  };
  close(0, WINDOW_KINDS, 4_000, 0.5);
  close(1, ['traces', 'metrics', 'logs'], 4_000, 1);
  expect(said).toEqual([]);
  close(1, ['edges'], 2_000, 1);
  close(1, ['edges'], 4_000, 1);
  const own = { type: 'closed', from: 'detector:flyball.windows/2' };
  expect(said).toEqual([
    { ...own, endMs: 2_000, coverage: 0.5 },
    { ...own, endMs: 4_000, coverage: 0.5 },
  ]);
});

test('nothing is concluded from the window after a hole', () => {
  const world = new SimulatedService(7);
  world.windows(30);
  world.detector.skip();
  expect(world.window({ versions: {} })).toMatchObject({
    coverage: 0,
    isSilent: false,
    errorsSli: { reason: 'low_coverage' },
  });
  expect(world.window()).toMatchObject({ coverage: 1, errorsSli: { log10E: expect.any(Number) } });
});

test('a subject that is gone is forgotten', () => {
  const world = new SimulatedService(8);
  world.windows(30);
  world.tell({ type: 'gone', subject: world.next({}).subject, endMs: 0 });
  expect(world.window().baseline.state).toBe('warming');
});

test('garbage is not restored', () => {
  for (const garbage of ['', '{}', '{"v":2}', '[']) {
    const restore = () => new Detector(CONFIG, 0, 1).restore(new TextEncoder().encode(garbage));
    expect(restore).toThrow(expect.objectContaining({ code: 'SNAPSHOT_INVALID' }));
  }
});

test('a restart cannot be noticed', () => {
  const traffic = fc.record({
    requests: fc.nat(30),
    failing: fc.constantFrom(0, 0.01, 0.5),
    medianMs: fc.constantFrom(20, 90),
  });
  const moment = fc.record({
    versions: fc.dictionary(fc.constantFrom('v1', 'v2', 'v3', '', OVERFLOW), traffic, { maxKeys: 3 }),
    coverage: fc.constantFrom(1, 1, 1, 0.5),
    lateSpans: fc.constantFrom(0, 0, 1),
    service: fc.constantFrom('shop', 'cart', OVERFLOW),
    repeat: fc.integer({ min: 1, max: 8 }),
    lane: fc.nat(1),
    restarts: fc.boolean(),
    skips: fc.boolean(),
  });
  type Moment = typeof moment extends fc.Arbitrary<infer T> ? T : never;
  const short = {
    warmupWindows: 2,
    promoteWindows: 3,
    versionTtlWindows: 4,
    versionsMax: 2,
    refractoryMs: 0,
  };
  const config = DetectorConfig.parse(short);
  const property = fc.property(fc.array(moment, { maxLength: 15 }), fc.nat(), (moments, seed) => {
    const world = new SimulatedService(seed, config, 2);
    let broken = new Detector(config, 0, 2);
    const said: SignalsMessage[] = [];
    for (const { service, repeat, lane, restarts, skips, ...each } of moments) {
      for (let index = 0; index < repeat; index += 1) {
        const window = world.next(each);
        const body = { ...window, subject: { ...window.subject, service } };
        const closed = {
          type: 'closed',
          kind: WINDOW_KINDS[index % WINDOW_KINDS.length]!,
          from: `global:flyball.partials/${lane}`,
          endMs: window.endMs,
          coverage: each.coverage,
        } as const;
        for (const message of [body, closed]) {
          world.tell(message);
          tellTo(broken, message, said);
        }
      }
      if (skips) for (const detector of [world.detector, broken]) detector.skip();
      const snapshot = broken.snapshot();
      expect(textOf(snapshot)).toBe(textOf(world.detector.snapshot()));
      if (!restarts) continue;
      broken = new Detector(config, 0, 2);
      broken.restore(snapshot);
    }
    expect(said).toEqual(world.said);
    expect(JSON.stringify(said)).not.toMatch(/NaN|"(log10E|observed)":\[/);
  });
  // All of the stable version's requests were slow: nothing can be worse than that.
  const one = { requests: 1, failing: 0, medianMs: 20 } as const;
  const calm = {
    coverage: 1,
    lateSpans: 0,
    service: 'shop',
    lane: 0,
    repeat: 1,
    restarts: false,
    skips: false,
  } as const;
  const lost: [Moment[], number] = [
    [
      { ...calm, versions: { v3: one }, repeat: 2 },
      { ...calm, versions: { v2: one, v3: one }, restarts: true },
      { ...calm, versions: { v2: one } },
    ],
    1877089391,
  ];
  fc.assert(property, { numRuns: 200, examples: [lost] });
});
