import { readRaw } from '@flyball/contracts';
import { Prng } from '@flyball/core';
import { Ingest, IngestConfig } from '@flyball/ingest';
import { MemoryLog } from '@flyball/memory';
import { TraceScan } from '@flyball/otlp';
import { createRawTopics, type Log, Marks, provenanceOf } from '@flyball/runtime';
import { allRecords, altered, type AppendFault, FaultyLog, traceRequest } from '@flyball/testing';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

// Goal: a tenant’s spans are stored as its own, what was refused is told in full to whoever judges coverage, and every
// request ends in exactly one counter. Method: ingest without sockets, its ticks in the test's hands, over a log that
// fails by dice, or stands still until the test lets it go.

const TICK_MS = 1_000;
const NOW = Date.now();
const TENANTS = ['a', 'b', 'c'];
const requestOf = (tenant: string, spans: number) =>
  traceRequest(Array.from({ length: spans }, () => ({ endMs: NOW, service: tenant })));

let log: MemoryLog;
let registry: Registry;
let ingest: Ingest;
/** Holds every append back while it is set. */
let gate: Promise<void> | undefined;

async function open(draw: () => AppendFault, settings: Partial<IngestConfig> = {}): Promise<void> {
  log = new MemoryLog(Date.now);
  await createRawTopics(log, 1);
  registry = new Registry();
  gate = undefined;
  const faulty = new FaultyLog(
    log,
    ({ topic }) => (topic === 'otlp_spans' ? draw() : 'none'),
    () => false,
  );
  const slow = altered<Log>(faulty, {
    append: async (to, records) => {
      await gate;
      return faulty.append(to, records);
    },
  });
  const config = IngestConfig.parse({ tickMs: TICK_MS, ackTimeoutMs: 5_000, ...settings });
  ingest = await Ingest.open(config, { log: slow, registry });
}
beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

/** Lets everything go on that waits for nobody. */
const settle = async () => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};
const tick = async () => {
  vi.advanceTimersByTime(TICK_MS);
  await settle();
};

/** Entries of the log, past the marks. */
async function entries() {
  const marks = new Marks();
  return (await allRecords(log, 'otlp_spans'))
    .filter((record) => marks.raise(provenanceOf(record.headers), 0))
    .map((record) => ({ ...readRaw(record), sizeBytes: record.value.length }));
}
async function refusalsTold(): Promise<Record<string, number>> {
  const told: Record<string, number> = {};
  for (const entry of await entries()) {
    if (entry.type !== 'tick') continue;
    for (const [tenant, count] of Object.entries(entry.refused)) told[tenant] = (told[tenant] ?? 0) + count;
  }
  return told;
}
async function balanceOf(metric: string): Promise<Record<string, number>> {
  const { values } = await registry.getSingleMetric(metric)!.get();
  const ours = values.filter(({ labels }) => (labels['signal'] ?? 'traces') === 'traces');
  const counts = Object.fromEntries(ours.map(({ labels, value }) => [String(labels['outcome']), value]));
  const { received = 0, ...ends } = counts;
  expect(
    Object.values(ends).reduce((sum, count) => sum + count, 0),
    metric,
  ).toBe(received);
  return counts;
}

test('whatever the log does, all that may be missing is told once, and every request and span ends in one counter', async () => {
  const met = new Set<AppendFault>();
  for (let seed = 1; seed <= 15; seed += 1) {
    const dice = new Prng(seed);
    let isHealed = false;
    await open(() => {
      const fault = isHealed ? 'none' : dice.pick<AppendFault>(['none', 'none', 'full', 'lost']);
      met.add(fault);
      return fault;
    });
    const missing: Record<string, number> = {};
    for (let round = 0; round < 30; round += 1) {
      const sent = Array.from({ length: dice.below(4) }, async () => {
        const [tenant, spans] = [dice.pick(TENANTS), 1 + dice.below(5)];
        await ingest.export('traces', requestOf(tenant, spans), tenant).catch(({ code }: { code: string }) => {
          if (code === 'INGEST_REFUSED' || code === 'INGEST_UNKNOWN') missing[tenant] = (missing[tenant] ?? 0) + spans;
        });
      });
      if (dice.chance(0.2)) await ingest.export('traces', new Uint8Array([1, 2, 3]), 'a').catch(() => undefined);
      await Promise.all(sent);
      if (dice.chance(0.5)) await tick();
    }
    isHealed = true;
    for (let last = 0; last < 3; last += 1) await tick();
    expect(await refusalsTold(), `seed ${seed}`).toEqual(missing);
    const requests = await balanceOf('flyball_ingest_requests_total');
    for (const outcome of ['stored', 'rejected', 'shed', 'unknown'])
      expect(requests[outcome], outcome).toBeGreaterThan(0);
    await balanceOf('flyball_ingest_spans_total');
    const { values } = await registry.getSingleMetric('flyball_ingest_pending_bytes')!.get();
    expect(values.map(({ value }) => value)).toEqual([0]);
    await ingest.drain();
  }
  expect(met).toEqual(new Set(['none', 'full', 'lost']));
});

test('refusals are told also when ticks pile up behind an append that takes long', async () => {
  const faults: AppendFault[] = ['full', 'full'];
  await open(() => faults.shift() ?? 'none');
  let release!: () => void;
  await expect(ingest.export('traces', requestOf('a', 3), 'a')).rejects.toMatchObject({ code: 'INGEST_REFUSED' });
  await expect(ingest.export('traces', requestOf('b', 2), 'b')).rejects.toMatchObject({ code: 'INGEST_REFUSED' });
  gate = new Promise((resolve) => (release = resolve));
  const waiting = ingest.export('traces', requestOf('c', 1), 'c');
  for (let nth = 0; nth < 3; nth += 1) await tick();
  release();
  await waiting;
  await settle();
  expect(await refusalsTold()).toEqual({ a: 3, b: 2 });
  await ingest.drain();
});

test('what a partition refused is told before anything moves its time on: by the next append, not by the next tick', async () => {
  const faults: AppendFault[] = ['full'];
  await open(() => faults.shift() ?? 'none');
  let release!: () => void;
  gate = new Promise((resolve) => (release = resolve));
  const refused = expect(ingest.export('traces', requestOf('a', 3), 'a')).rejects.toMatchObject({
    code: 'INGEST_REFUSED',
  });
  await settle();
  await tick();
  const next = ingest.export('traces', requestOf('b', 1), 'b');
  release();
  await Promise.all([refused, next]);
  expect((await entries())[0]).toMatchObject({ type: 'tick', refused: { a: 3 }, writer: expect.any(String) });
  // Also where no tick is due.
  faults.push('full');
  await expect(ingest.export('traces', requestOf('c', 2), 'c')).rejects.toMatchObject({ code: 'INGEST_REFUSED' });
  await ingest.export('traces', requestOf('b', 1), 'b');
  expect((await entries()).slice(2)).toMatchObject([{ type: 'tick', refused: { c: 2 } }, { type: 'otlp' }]);
  await ingest.drain();
});

test('requests that share an append keep their order, their tenant and the limit of a record', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const dice = new Prng(seed);
    await open(() => 'none', { recordBytesMax: 2_000 });
    const sent: string[] = [];
    await Promise.all(
      Array.from({ length: 60 }, (_, nth) => {
        const [tenant, spans] = [dice.pick(TENANTS), 1 + dice.below(dice.chance(0.1) ? 60 : 5)];
        sent.push(...Array.from({ length: spans }, () => `${tenant} ${tenant}-${nth}`));
        const request = Array.from({ length: spans }, () => ({ endMs: NOW, service: `${tenant}-${nth}` }));
        return ingest.export('traces', traceRequest(request), tenant);
      }),
    );
    const found: string[] = [];
    let shared = 0;
    for (const entry of await entries()) {
      if (entry.type !== 'otlp') continue;
      const scan = new TraceScan();
      scan.read(entry.bytes);
      const services = Array.from({ length: scan.count }, (_, span) => scan.resources[scan.resource[span]!]!.service);
      found.push(...services.map((service) => `${entry.tenant} ${service}`));
      const requests = new Set(services).size;
      if (requests > 1) expect(entry.sizeBytes).toBeLessThanOrEqual(2_000);
      shared += requests > 1 ? 1 : 0;
    }
    expect(found).toEqual(sent);
    expect(shared).toBeGreaterThan(3);
    await ingest.drain();
  }
});

test('a stop waits for what is on its way, and its sender learns what became of it', async () => {
  await open(() => 'none');
  let release!: () => void;
  gate = new Promise((resolve) => (release = resolve));
  const order: string[] = [];
  const sent = [1, 2].map((nth) =>
    ingest.export('traces', requestOf('a', 1), 'a').then(() => order.push(`answer ${nth}`)),
  );
  const draining = ingest.drain().then(() => order.push('drained'));
  await settle();
  expect(order).toEqual([]);
  release();
  await Promise.all([...sent, draining]);
  expect(order).toEqual(['answer 1', 'answer 2', 'drained']);
});

test('a log that never answers leaves no sender waiting', async () => {
  await open(() => 'none', { ackTimeoutMs: 100 });
  gate = new Promise(() => undefined);
  await expect(ingest.export('traces', requestOf('a', 1), 'a')).rejects.toMatchObject({ code: 'INGEST_UNKNOWN' });
  expect(await balanceOf('flyball_ingest_requests_total')).toMatchObject({ unknown: 1 });
  await ingest.drain();
});

test('a request that is larger than a record is stored in parts, whole, and a span that never fits is refused for good', async () => {
  await open(() => 'none', { recordBytesMax: 2_048 });
  const spans = 200;
  await ingest.export('traces', requestOf('a', spans), 'a');
  const stored = (await entries()).filter((entry) => entry.type === 'otlp');
  expect(stored.length).toBeGreaterThan(3);
  const scan = new TraceScan();
  const counts = stored.map((entry) => {
    expect(entry.sizeBytes).toBeLessThanOrEqual(2_048);
    scan.read(entry.bytes);
    return scan.count;
  });
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(spans);
  const huge = traceRequest([{ endMs: NOW, service: 'a', name: 'x'.repeat(17 * 1024 * 1024) }]);
  await expect(ingest.export('traces', huge, 'a')).rejects.toMatchObject({ code: 'ITEM_TOO_LARGE', kind: 'rejected' });
  expect(await balanceOf('flyball_ingest_spans_total')).toMatchObject({ stored: spans, rejected: 1, unknown: 0 });
});

test('a span that never fits costs the others of its request nothing, and nobody sends it again', async () => {
  await open(() => 'none');
  const huge = { endMs: NOW, service: 'a', name: 'x'.repeat(17 * 1024 * 1024) };
  const accepted = await ingest.export('traces', traceRequest([{ endMs: NOW }, huge, { endMs: NOW }]), 'a');
  expect(accepted).toEqual({ rejected: 1, message: 'rejected spans: 1 larger than a record of the log' });
  expect(await balanceOf('flyball_ingest_spans_total')).toMatchObject({ received: 3, stored: 2, rejected: 1 });
  expect(await balanceOf('flyball_ingest_requests_total')).toMatchObject({ stored: 1, unknown: 0 });
});

test('a partition that does not answer is told of in the ticks of the others, and gets no requests meanwhile', async () => {
  let isDead = false;
  const memory = new MemoryLog(Date.now);
  await createRawTopics(memory, 3);
  const hanging = altered<Log>(memory, {
    append: async (to, records) =>
      isDead && to.partition === 1 ? new Promise(() => undefined) : memory.append(to, records),
  });
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date', 'performance'] });
  const config = IngestConfig.parse({ tickMs: TICK_MS, ackTimeoutMs: 60_000 });
  const own = await Ingest.open(config, { log: hanging, registry: new Registry() });
  await tick();
  isDead = true;
  for (let second = 0; second < 4; second += 1) await tick();
  const before = (await memory.range({ topic: 'otlp_spans', partition: 1 })).endOffset;
  for (let request = 0; request < 30; request += 1) await own.export('traces', requestOf('a', 1), 'a');
  const spansIn = async (partition: number) =>
    (await allRecords(memory, 'otlp_spans', partition)).filter(({ value }) => value.length > 0).length;
  expect(await Promise.all([spansIn(0), spansIn(1), spansIn(2)])).toEqual([15, 0, 15]);
  expect((await memory.range({ topic: 'otlp_spans', partition: 1 })).endOffset).toBe(before);
  const ticks = (await allRecords(memory, 'otlp_spans', 0))
    .map((record) => readRaw(record))
    .filter((each) => each.type === 'tick');
  expect(ticks[0]).toMatchObject({ stalled: {} });
  expect(ticks.at(-1)!.stalled).toEqual({ 1: { ackedAtMs: expect.any(Number), forMs: 4_000 } });
});

/** Ingest over partitions of which some are led by a broker whose clock is off; time is in the test's hands. */
async function openSkewed(partitions: number, led: readonly number[]) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date', 'performance'] });
  const clock = { aheadMs: 0 };
  const memory = new MemoryLog(() => Date.now());
  await createRawTopics(memory, partitions);
  const skewed = altered<Log>(memory, {
    append: async (to, records) => {
      const { firstOffset, appendedAtMs } = await memory.append(to, records);
      return { firstOffset, appendedAtMs: appendedAtMs + (led.includes(to.partition) ? clock.aheadMs : 0) };
    },
  });
  const own = await Ingest.open(IngestConfig.parse({ tickMs: TICK_MS }), { log: skewed, registry: new Registry() });
  const ticks = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) await tick();
  };
  const send = async (requests: number) => {
    for (let request = 0; request < requests; request += 1) await own.export('traces', requestOf('a', 1), 'a');
  };
  const appended = async (partition: number) => (await memory.range({ topic: 'otlp_spans', partition })).endOffset;
  const lastTick = async (partition: number) => {
    const entries = (await allRecords(memory, 'otlp_spans', partition)).map((record) => readRaw(record));
    return entries.filter((each) => each.type === 'tick').at(-1)!;
  };
  return { clock, ticks, send, appended, lastTick };
}

test('a partition whose broker has another time is not written to, and is tried again now and then', async () => {
  const { clock, ticks, send, appended } = await openSkewed(4, [3]);
  await ticks(1);
  clock.aheadMs = -300_000;
  await ticks(2);
  const before = await appended(3);
  await ticks(20);
  await send(20);
  expect((await appended(3)) - before).toBeLessThanOrEqual(1);
  clock.aheadMs = 0;
  await ticks(40);
  const recovered = await appended(3);
  await send(20);
  expect((await appended(3)) - recovered).toBeGreaterThan(3);
});

test.each([300_000, -300_000])(
  'a broker that is %i ms off, and leads half of the partitions, is told of as down',
  async (aheadMs) => {
    const { clock, ticks, send, appended, lastTick } = await openSkewed(4, [2, 3]);
    await ticks(3);
    clock.aheadMs = aheadMs;
    await ticks(2);
    const before = [await appended(0), await appended(2)];
    await ticks(70);
    await send(20);
    expect((await appended(0)) - before[0]!).toBeGreaterThan(70);
    expect((await appended(2)) - before[1]!).toBeLessThanOrEqual(3);
    // Being tried now and then does not make it well: windows must go on without it.
    const { stalled } = await lastTick(0);
    expect(Object.keys(stalled!)).toEqual(['2', '3']);
    for (const { forMs } of Object.values(stalled!)) expect(forMs).toBeGreaterThan(60_000);
  },
);

test('a partition whose clock was ahead is left alone until the others have come to where it was', async () => {
  const { clock, ticks, send, appended } = await openSkewed(4, [1]);
  await ticks(3);
  clock.aheadMs = 100_000;
  await ticks(10);
  clock.aheadMs = 0;
  await ticks(60);
  const before = await appended(1);
  await send(20);
  expect((await appended(1)) - before).toBe(0);
  await ticks(60);
  await send(20);
  expect((await appended(1)) - before).toBeGreaterThan(5);
});

test('when every clock jumps there is nobody else to believe: all partitions go on', async () => {
  const { clock, ticks, send, appended } = await openSkewed(4, [0, 1, 2, 3]);
  await ticks(3);
  for (const aheadMs of [600_000, 0, -50_000]) {
    clock.aheadMs = aheadMs;
    await ticks(3);
    const before = await appended(2);
    await ticks(10);
    await send(20);
    expect((await appended(2)) - before).toBeGreaterThan(12);
  }
});

test('its own clock may jump: no stall is made up, no partition is left out, and nothing honest is early', async () => {
  const memory = new MemoryLog(Date.now);
  await createRawTopics(memory, 4);
  const wrong = { byMs: 0 };
  const config = IngestConfig.parse({ tickMs: TICK_MS });
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  // An append takes long enough for the clock to jump in the middle of it.
  let isJumping = false;
  const jumpy = altered<Log>(memory, {
    append: async (to, records) => {
      if (isJumping && to.partition === 2) vi.setSystemTime(NOW + wrong.byMs);
      return { ...(await memory.append(to, records)), appendedAtMs: NOW };
    },
  });
  const own = await Ingest.open(config, { log: jumpy, registry: new Registry() });
  await tick();
  for (const byMs of [600_000, -600_000]) {
    wrong.byMs = byMs;
    isJumping = true;
    for (let second = 0; second < 3; second += 1) await tick();
    const accepted = await own.export('traces', requestOf('a', 3), 'a');
    expect(accepted).toEqual({ rejected: 0, message: '' });
    const early = await own.export('traces', traceRequest([{ endMs: NOW + 70_000, service: 'a' }]), 'a');
    expect(early.message).toMatch(/1 early: too far in the future/);
  }
  for (let request = 0; request < 40; request += 1) await own.export('traces', requestOf('a', 1), 'a');
  for (let partition = 0; partition < 4; partition += 1) {
    const records = await allRecords(memory, 'otlp_spans', partition);
    expect(records.filter(({ value }) => value.length > 0).length).toBeGreaterThan(5);
    const ticks = records.map((record) => readRaw(record)).filter((each) => each.type === 'tick');
    for (const { stalled } of ticks) expect(stalled).toEqual({});
  }
  await own.drain();
});
