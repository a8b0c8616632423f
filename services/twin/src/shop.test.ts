import { describe, expect, test } from 'vitest';
import { Shop, type SimulatedSpan } from './shop.ts';

// Goal: the shop has the troubles that its stories tell of, and obeys as a platform would. Method: shops in the hands of the
// test, step by step, with what they served counted from their spans.

const RPS = 40;
const STEP_MS = 100;
const STORM = { capacityPerSecond: 53, queueMax: 150, timeoutMs: 1_000, retriesMax: 3, spikeRatio: 5, spikeMs: 4_000 };

/** Runs a shop for some seconds. Time begins at `fromSeconds`. */
function run(shop: Shop, fromSeconds: number, untilSeconds: number): readonly SimulatedSpan[] {
  const spans: SimulatedSpan[] = [];
  for (let atMs = fromSeconds * 1_000; atMs < untilSeconds * 1_000; atMs += STEP_MS)
    spans.push(...shop.requests(atMs + STEP_MS, STEP_MS));
  return spans;
}
const server = (spans: readonly SimulatedSpan[], service: string) =>
  spans.filter((span) => span.kind === 'server' && span.service === service);
/** Requests of clients that came to a good end, per second, as a share of those that usually come. */
function goodput(spans: readonly SimulatedSpan[], seconds: number): number {
  return server(spans, 'web').filter(({ isError }) => !isError).length / seconds / RPS;
}
const throttle = (shop: Shop, value: number) =>
  shop.rollouts.obey(
    'web',
    { verb: 'throttle', commandId: 'c-1', generation: [0, 1], limit: { kind: 'ratio', value } },
    0,
  );

describe('a retry storm', () => {
  const stormy = (seed: number) => {
    const shop = new Shop('demo', seed, RPS);
    expect(goodput(run(shop, 0, 10), 10)).toBeGreaterThan(0.9);
    shop.overload(STORM);
    run(shop, 10, 20);
    return shop;
  };

  test.each([1, 2, 3, 4, 5])(
    'stays when its trigger is long over, and shows as requests and slowness (seed %i)',
    (seed) => {
      const shop = stormy(seed);
      const late = run(shop, 20, 60);
      expect(goodput(late, 40)).toBeLessThan(0.1);
      expect(server(late, 'web').length / 40 / RPS).toBeGreaterThan(2);
      const slow = server(late, 'web').filter(({ startMs, endMs }) => endMs - startMs > 1_000).length;
      expect(slow / server(late, 'web').length).toBeGreaterThan(0.2);
    },
  );

  test.each([1, 2, 3, 4, 5])('is ended by a throttle with an end; one without is the next outage (seed %i)', (seed) => {
    const shop = stormy(seed);
    throttle(shop, 0.3);
    run(shop, 20, 40);
    const forgotten = goodput(run(shop, 40, 50), 10);
    expect(forgotten).toBeGreaterThan(0.2);
    expect(forgotten).toBeLessThan(0.4);
    for (const doneRatio of [0.25, 0.5, 0.75, 1]) {
      expect(shop.rollouts.release('web', { commandId: 'c-1', doneRatio }, 0)).toMatchObject({ ok: true });
      run(shop, 50, 51);
    }
    expect(goodput(run(shop, 60, 80), 20)).toBeGreaterThan(0.9);
  });
});

describe('a throttle', () => {
  test('of a callee spares its callers: what is turned away has a fallback', () => {
    const shop = new Shop('demo', 1, RPS);
    const order = { verb: 'throttle' as const, commandId: 'c-1', generation: [0, 1] as [number, number] };
    shop.rollouts.obey('checkout', { ...order, limit: { kind: 'rps', value: 5 } }, 0);
    const spans = run(shop, 0, 20);
    expect(server(spans, 'checkout').length / 20).toBeCloseTo(5, 0);
    expect(goodput(spans, 20)).toBeGreaterThan(0.9);
  });

  test('is only tightened by a new order, and lifted only by its own', () => {
    const shop = new Shop('demo', 1, RPS);
    throttle(shop, 0.5);
    const release = (commandId: string, doneRatio: number) => shop.rollouts.release('web', { commandId, doneRatio }, 0);
    const limit = () => shop.rollouts.read('web', 0)!.throttle?.limit.value;
    expect(release('c-other', 1)).toMatchObject({ ok: false, code: 'gone' });
    release('c-1', 0.5);
    expect(limit()).toBe(0.75);
    release('c-1', 0.25);
    expect(limit()).toBe(0.75);
    release('c-1', 1);
    expect(limit()).toBeUndefined();
    expect(release('c-1', 1)).toMatchObject({ ok: false, code: 'gone' });
  });
});

describe('an instance', () => {
  const isolate = (shop: Shop, commandId: string, instance: string, generation: [number, number]) =>
    shop.rollouts.obey('checkout', { verb: 'isolate', commandId, generation, instance }, 0);

  test('that is bad spoils its share alone, and gets nothing once it is isolated, until it is readmitted', () => {
    const shop = new Shop('demo', 1, RPS);
    shop.faults.add({ service: 'checkout', version: 'v1', instance: 'checkout-v1-2', errorRatio: 1 });
    const failed = server(run(shop, 0, 10), 'checkout').filter(
      ({ isError, instance }) => isError && instance === 'checkout-v1-2',
    );
    expect(failed.length).toBeGreaterThan(20);
    expect(isolate(shop, 'c-1', 'checkout-v1-2', [0, 1])).toMatchObject({
      ok: true,
      after: 'v1 100 %; without checkout-v1-2',
    });
    expect(new Set(server(run(shop, 10, 20), 'checkout').map(({ instance }) => instance)).size).toBe(3);
    shop.rollouts.release('checkout', { commandId: 'c-1', doneRatio: 1 }, 0);
    expect(new Set(server(run(shop, 20, 30), 'checkout').map(({ instance }) => instance)).size).toBe(4);
  });

  test('is not taken out when half of them are out already', () => {
    const shop = new Shop('demo', 1, RPS);
    expect(isolate(shop, 'c-1', 'checkout-v1-0', [0, 1])).toMatchObject({ ok: true });
    expect(isolate(shop, 'c-2', 'checkout-v1-1', [0, 2])).toMatchObject({ ok: true });
    expect(isolate(shop, 'c-3', 'checkout-v1-2', [0, 3])).toMatchObject({ ok: false, code: 'precondition' });
  });

  test('that has to fight for its processor shows that on its host', () => {
    const shop = new Shop('demo', 1, RPS);
    shop.faults.add({ service: 'checkout', version: 'v1', instance: 'checkout-v1-1', slowness: 8 });
    const busy = shop.instances(0).filter(({ cpuRatio }) => cpuRatio > 0.8);
    expect(busy.map(({ instance }) => instance)).toEqual(['checkout-v1-1']);
  });
});

test('a service that is down shows in its callers alone; a slow network in neither side’s own time', () => {
  const shop = new Shop('demo', 1, RPS);
  shop.faults.down('payment');
  const spans = run(shop, 0, 10);
  expect(server(spans, 'payment')).toEqual([]);
  const calls = spans.filter(({ kind, name }) => kind === 'client' && name === 'payment');
  expect(calls.length).toBeGreaterThan(100);
  expect(calls.every(({ isError }) => isError)).toBe(true);
  shop.faults.heal('payment');
  shop.faults.addLink({ caller: 'checkout', callee: 'inventory', addedMs: 200 });
  const slow = run(shop, 10, 20);
  const took = (list: readonly SimulatedSpan[]) => list.map(({ startMs, endMs }) => endMs - startMs);
  expect(Math.max(...took(server(slow, 'inventory')))).toBeLessThan(100);
  const client = slow.filter(
    ({ kind, name, service }) => kind === 'client' && name === 'inventory' && service === 'checkout',
  );
  expect(Math.min(...took(client))).toBeGreaterThan(200);
  expect(server(slow, 'payment').length).toBeGreaterThan(100);
});

test('a canary gets its share, however small', () => {
  const shop = new Shop('demo', 1, RPS);
  shop.rollouts.deploy('checkout', 'v2', 0, 0.01);
  const checkout = server(run(shop, 10, 70), 'checkout');
  const canary = checkout.filter(({ version }) => version === 'v2').length;
  expect(canary).toBeGreaterThan(0.008 * checkout.length);
  expect(canary).toBeLessThan(0.012 * checkout.length);
});
