import { Prng } from '@flyball/core';
import { type PlainSpan, plainSpansOf, spanTableOf } from '@flyball/testing';
import { expect, test } from 'vitest';
import { AggregatorConfig } from './config.ts';
import { TraceStore } from './trace-store.ts';

// Goal: a span finds its children and nobody else's, whatever ids senders make up, for as long as it is promised and no longer.
// Method: random spans whose ids differ in a few bits only, of which the store forgets some and is restored now and then, against a
// list that is searched from end to end.

const WINDOW_MS = 1_000;
const KEEP_MS = 3_000;
const SPANS_MAX = 40;
const config = AggregatorConfig.parse({ windowMs: WINDOW_MS, traceKeepMs: KEEP_MS, traceSpansMax: SPANS_MAX });
const BASE_MS = 1_700_000_000_000;

/** Ids that share most of their words, and so many that they share chains too. */
const id = (dice: Prng, words: number) => {
  return Array.from({ length: words }, () => dice.pick(['00000001', '00000002', '00000003'])).join('');
};

function spanAt(dice: Prng, nowMs: number): PlainSpan {
  const service = dice.pick(['web', 'cart', 'stock']);
  return {
    ...{ traceId: id(dice, 4), spanId: id(dice, 2), parentId: dice.chance(0.2) ? '' : id(dice, 2) },
    subject: { tenant: 'default', environment: 'demo', service },
    ...{ name: dice.pick(['GET', 'POST', '']), kind: dice.below(6), instance: dice.pick(['a', 'b']), peer: '' },
    ...{ isError: dice.chance(0.5), endUs: (nowMs - dice.below(2_500)) * 1_000, durationUs: dice.below(1_000) },
  };
}

/** The same store, as a list. */
class Oracle {
  spans: PlainSpan[] = [];

  add(span: PlainSpan): void {
    const trace = this.#trace(span);
    if (this.spans.length >= (trace.length === 0 ? SPANS_MAX : 4 * SPANS_MAX)) return;
    if (!trace.some(({ spanId }) => spanId === span.spanId)) this.spans.push(span);
  }

  forget(untilMs: number): void {
    const isKept = (startMs: number) => startMs + WINDOW_MS + KEEP_MS >= untilMs;
    const kept = this.spans.filter((span) => isKept(Math.max(...this.#trace(span).map(windowOf))));
    this.spans = kept.length < SPANS_MAX ? kept : kept.filter((span) => isKept(windowOf(span)));
  }

  childrenOf(span: PlainSpan): PlainSpan[] {
    return sorted(this.#trace(span).filter(({ parentId }) => parentId === span.spanId));
  }

  #trace({ traceId }: PlainSpan): PlainSpan[] {
    return this.spans.filter((each) => each.traceId === traceId);
  }
}

const windowOf = ({ endUs }: PlainSpan) => Math.floor(endUs / 1_000 / WINDOW_MS) * WINDOW_MS;
const sorted = (spans: readonly PlainSpan[]) => {
  return [...spans].sort((a, b) => (a.traceId + a.spanId < b.traceId + b.spanId ? -1 : 1));
};

test.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %d: what is held, and whose child it is, is what a list says', (seed) => {
  const dice = new Prng(seed);
  let store = new TraceStore(config);
  const oracle = new Oracle();
  for (let turn = 0; turn < 60; turn += 1) {
    const nowMs = BASE_MS + turn * 400;
    const came = Array.from({ length: 1 + dice.below(12) }, () => spanAt(dice, nowMs));
    store.add(spanTableOf(came));
    for (const span of came) oracle.add(span);
    if (dice.chance(0.4)) {
      const untilMs = nowMs - dice.below(2_000);
      store.forget(untilMs);
      oracle.forget(untilMs);
    }
    if (dice.chance(0.2)) {
      const saved = store.save();
      store = new TraceStore(config);
      store.restore(saved);
    }
    const held = plainSpansOf(store.spans);
    expect(held).toEqual(oracle.spans);
    for (const [place, span] of held.entries()) {
      const children = store.childrenOf(place).map((child) => held[child]);
      expect(children).toEqual(oracle.childrenOf(span));
    }
    const starts = [...new Set(held.map(windowOf))].sort((a, b) => a - b);
    expect(store.windowsBetween(0, Infinity)).toEqual(starts);
    for (const startMs of starts) {
      const ofWindow = sorted(held.filter((span) => windowOf(span) === startMs));
      expect(store.spansOf(startMs).map((place) => held[place])).toEqual(ofWindow);
    }
    expect(store.windowsBetween(starts[0] ?? 0, starts.at(-1) ?? 0)).toEqual(starts.slice(0, -1));
  }
});

test('a trace that never ends takes no room from others for longer than its spans are kept, and has a bound too', () => {
  const store = new TraceStore(config);
  const spanOf = (traceId: string, spanId: number, atMs: number): PlainSpan => ({
    ...{ traceId, spanId: spanId.toString(16).padStart(16, '0'), parentId: '' },
    subject: { tenant: 'default', environment: 'demo', service: 'poller' },
    ...{ name: 'poll', kind: 1, instance: '', peer: '', isError: false, endUs: atMs * 1_000, durationUs: 5 },
  });
  const [endless, other] = ['e'.repeat(32), 'f'.repeat(32)];
  for (let second = 1; second <= 300; second += 1) {
    const atMs = BASE_MS + second * WINDOW_MS;
    store.add(spanTableOf(Array.from({ length: 4 }, (_, index) => spanOf(endless, 4 * second + index, atMs))));
    store.forget(atMs - WINDOW_MS);
  }
  expect(store.spans.count).toBeLessThanOrEqual(SPANS_MAX);
  const atMs = BASE_MS + 301 * WINDOW_MS;
  store.forget(atMs - WINDOW_MS);
  store.add(spanTableOf([spanOf(other, 1, atMs)]));
  expect(plainSpansOf(store.spans).some(({ traceId }) => traceId === other)).toBe(true);
  store.add(spanTableOf(Array.from({ length: 1_000 }, (_, index) => spanOf(endless, 10_000 + index, atMs))));
  expect(store.spans.count).toBeLessThanOrEqual(4 * SPANS_MAX);
  const restored = new TraceStore(config);
  restored.restore(store.save());
  expect(plainSpansOf(restored.spans)).toEqual(plainSpansOf(store.spans));
});
