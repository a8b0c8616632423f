import { signalsCodec, type SignalsMessage, type Window, type WindowsMessage } from '@flyball/contracts';
import { expect, test } from 'vitest';
import { DetectorConfig } from './config.ts';
import { Detector } from './detector.ts';

// Goal: whatever telemetry calls its metrics, units and instances, the detector lives on, and says what the planner can read: a name
// that all objects of JavaScript know (`constructor`) is a name as any other. Method: windows with such names, with a
// restart before each, through the codec.

const WINDOW_MS = 10_000;
const subject = { tenant: 'default', environment: 'prod', service: 'cart' };

/** What a detector says of some windows, as the planner reads it. */
function heard(bodies: readonly WindowsMessage[]): SignalsMessage[] {
  const open = () => new Detector(DetectorConfig.parse({ warmupWindows: 2 }), 0, 1);
  let detector = open();
  const said: SignalsMessage[] = [];
  const take = (_topic: string, ...rest: readonly unknown[]) => {
    said.push(signalsCodec.decode({ value: signalsCodec.encode(rest.at(-1) as SignalsMessage) }));
  };
  const outbox = { emit: take, broadcast: take, reject: () => undefined };
  for (const [offset, body] of bodies.entries()) {
    const snapshot = detector.snapshot();
    detector = open();
    detector.restore(snapshot);
    expect(detector.snapshot()).toEqual(snapshot);
    detector.process(
      { offset, atMs: offset, epoch: 0, key: '', provenance: undefined, body } as never,
      outbox as never,
    );
  }
  return said;
}

const windowAt = (index: number, more: Partial<Window>): Window => ({
  ...{
    type: 'window',
    kind: 'traces',
    subject,
    startMs: index * WINDOW_MS,
    endMs: (index + 1) * WINDOW_MS,
    coverage: 1,
  },
  ...{ spans: 1, lateSpans: 0, earlySpans: 0, series: [], metrics: [], ...more },
});
const windows = (count: number, more: (index: number) => Partial<Window>) =>
  Array.from({ length: count }, (_, index) => windowAt(index, more(index)));

test.each([
  ['metric', { metric: 'constructor' }],
  ['metric', { metric: '__proto__' }],
  ['unit', { metric: 'x', unit: 'constructor' }],
])('a %s with a name that objects know: %o', (_what, named) => {
  const metric = {
    unit: '',
    type: 'gauge',
    attributes: '',
    instance: '',
    points: 1,
    count: 0,
    isReset: false,
    traceId: '',
    ...named,
  };
  const said = heard(
    windows(5, (index) => ({ kind: 'metrics', metrics: [{ ...metric, value: 1, atMs: index * WINDOW_MS } as never] })),
  );
  expect(said).toEqual([]);
});

test.each(['constructor', '__proto__', 'toString'])('an instance that is called %s', (name) => {
  const sketch = { zeroCount: 0, offset: 640, counts: [10] };
  const numbers = {
    kind: 0,
    count: 10,
    errors: 0,
    sumUs: 10_240,
    minUs: 1_024,
    maxUs: 1_024,
    sketch,
    slowestTraceId: '',
    errorTraceId: '',
  };
  const series = [
    { view: 'service' as const, name: '', ...numbers, count: 20, sketch: { ...sketch, counts: [20] } },
    { view: 'instance' as const, name, ...numbers },
    { view: 'instance' as const, name: 'cart-1', ...numbers },
  ];
  const said = heard(windows(6, () => ({ series })));
  const last = said.findLast((message) => message.type === 'assessment');
  expect(last?.instances?.map(({ instance }) => instance).sort()).toEqual([name, 'cart-1'].sort());
});
