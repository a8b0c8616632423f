import { WireReader, WireWriter } from '@flyball/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PartialsMessage, partialsCodec } from './partials.ts';
import { decodeSeries, VIEWS } from './series.ts';
import { scopeKey, subjectKey } from './subject.ts';
import { WINDOW_KINDS } from './window-kind.ts';
import { type WindowsMessage, windowsCodec } from './windows.ts';

// Goal: what one stage says the next one hears, to the last count; and a message of a later release stops a lane
// rather than being misread.

const count = fc.integer({ min: 0, max: 2 ** 40 });
const atMs = fc.integer({ min: 0, max: 4e12 });
const subject = fc.record({ tenant: fc.string(), environment: fc.string(), service: fc.string() });
const series = fc.record({
  view: fc.constantFrom(...VIEWS),
  name: fc.string(),
  kind: fc.integer({ min: 0, max: 5 }),
  count,
  errors: count,
  sumUs: fc.maxSafeNat(),
  minUs: count,
  maxUs: count,
  sketch: fc
    .record({
      zeroCount: count,
      offset: fc.integer({ min: -1, max: 3_000 }),
      // Of many requests most buckets are filled; of a few nearly none of hundreds.
      counts: fc.oneof(
        fc.array(count, { maxLength: 50 }),
        fc.array(fc.oneof(fc.integer({ min: -7, max: -1 }), count), { maxLength: 50 }),
        fc.array(fc.oneof({ weight: 30, arbitrary: fc.constant(0) }, count), { maxLength: 380, size: 'max' }),
      ),
    })
    .map((sketch) => (sketch.counts.length === 0 ? { ...sketch, offset: 0 } : sketch)),
  slowestTraceId: fc.string(),
  errorTraceId: fc.string(),
});
const kind = fc.constantFrom(...WINDOW_KINDS);
const value = fc.double({ noNaN: true });
const metric = {
  metric: fc.string(),
  unit: fc.string(),
  type: fc.constantFrom('gauge', 'delta', 'cumulative', 'delta_histogram', 'cumulative_histogram'),
  attributes: fc.string(),
  instance: fc.string(),
  traceId: fc.string(),
};
const point = fc.record({ timeMs: atMs, startMs: atMs, value, count });
const share = fc.record({ ...metric, points: fc.array(point, { maxLength: 4 }) });
const metricSeries = fc.record({ ...metric, points: count, atMs, value, count, isReset: fc.boolean() });
const partials: fc.Arbitrary<PartialsMessage> = fc.oneof(
  fc.record({
    type: fc.constant('partial'),
    kind,
    subject,
    startMs: atMs,
    spans: count,
    series: fc.array(series, { maxLength: 4 }),
    metrics: fc.array(share, { maxLength: 3 }),
  }),
  fc.record({ type: fc.constant('missed'), kind, subject, startMs: count, lateSpans: count, earlySpans: count }),
  fc.record({
    type: fc.constant('time'),
    kind,
    from: fc.string(),
    atMs,
    blind: fc.array(fc.record({ fromMs: atMs, untilMs: atMs })),
    refusedTenants: fc.array(fc.string({ minLength: 1 })),
    reports: fc.array(
      fc.record({
        writer: fc.string(),
        stalled: fc.array(fc.record({ partition: fc.string(), ackedAtMs: atMs, forMs: count })),
      }),
    ),
  }),
) as fc.Arbitrary<PartialsMessage>;
const ratio = fc.double({ min: 0, max: 1, noNaN: true, minExcluded: true, maxExcluded: true });
const objective = fc.record({
  sli: fc.constantFrom('errors', 'latency'),
  objectiveRatio: ratio,
  windowMs: fc.integer({ min: 1 }),
  thresholdMs: fc.option(fc.double({ min: 0.001, max: 1e6, noNaN: true })),
});
const windows: fc.Arbitrary<WindowsMessage> = fc.oneof(
  fc.record({
    type: fc.constant('window'),
    kind,
    subject,
    startMs: atMs,
    endMs: atMs,
    coverage: fc.double({ min: 0, max: 1, noNaN: true }),
    spans: count,
    lateSpans: count,
    earlySpans: count,
    series: fc.array(series, { maxLength: 4 }),
    metrics: fc.array(metricSeries, { maxLength: 3 }),
  }),
  fc.record({ type: fc.constant('gone'), subject, endMs: atMs }),
  fc.record({ type: fc.constant('objective'), subject, objective, atMs }),
  fc.record({ type: fc.constant('closed'), kind, from: fc.string(), endMs: atMs, coverage: fc.constant(1) }),
) as fc.Arbitrary<WindowsMessage>;

test('partials and windows survive their bytes', () => {
  fc.assert(
    fc.property(partials, (message) => {
      expect(partialsCodec.decode({ value: partialsCodec.encode(message) })).toEqual(message);
    }),
  );
  fc.assert(
    fc.property(windows, (message) => {
      expect(windowsCodec.decode({ value: windowsCodec.encode(message) })).toEqual(message);
    }),
  );
});

test('buckets beyond those of any duration are refused, and take no memory', () => {
  const run = new WireWriter().varint(1, 1).packed(14, [2 * 2 ** 40 + 1, 2]);
  const offset = new WireWriter()
    .varint(1, 1)
    .varint(10, 2 ** 40)
    .packed(11, [1]);
  for (const bytes of [run.finish(), offset.finish()]) {
    const reader = new WireReader('PARTIALS_UNREADABLE');
    reader.reset(bytes);
    expect(() => decodeSeries(reader, bytes.length)).toThrow(
      expect.objectContaining({ code: 'PARTIALS_UNREADABLE' }) as Error,
    );
  }
});

test('a type of a later release is unreadable by name', () => {
  const later = new Uint8Array([0x7a, 0x00]); // Field 15, empty.
  expect(() => partialsCodec.decode({ value: later })).toThrow(expect.objectContaining({ code: 'PARTIAL_UNREADABLE' }));
  expect(() => windowsCodec.decode({ value: later })).toThrow(expect.objectContaining({ code: 'WINDOW_UNREADABLE' }));
});

test('two subjects never share a key, whatever their names', () => {
  fc.assert(
    fc.property(subject, subject, (a, b) => {
      expect(subjectKey(a) === subjectKey(b)).toBe(
        a.tenant === b.tenant && a.environment === b.environment && a.service === b.service,
      );
    }),
  );
  expect(scopeKey({ tenant: 'a/b', environment: 'c' })).not.toBe(scopeKey({ tenant: 'a', environment: 'b/c' }));
});
