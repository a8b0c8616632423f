import type { PartialsMessage, Subject, WindowsMessage } from '@flyball/contracts';
import { Prng } from '@flyball/core';
import { expect, test } from 'vitest';
import { AggregatorConfig } from './config.ts';
import { GlobalAggregator } from './global-aggregator.ts';

// Goal: what a window says does not hang on which raw partition was read faster. Method: the same partials of three partitions,
// each in its own order, are interleaved by the dice, with one partition or another far ahead; some subjects fall silent for
// long enough to be forgotten, and come back.

const LANES = ['otlp_spans/0', 'otlp_spans/1', 'otlp_spans/2'];
const STEPS = 220;
const kind = 'traces';
const CONFIG = AggregatorConfig.parse({ windowMs: 2_000, graceMs: 1_000, subjectTtlMs: 60_000 });

interface Told {
  readonly atMs: number;
  readonly body: PartialsMessage;
}

/** What a raw partition tells, second by second: sums and misses first, then its time. */
function toldBy(from: string, dice: Prng): Told[] {
  const told: Told[] = [];
  for (let step = 1; step <= STEPS; step += 1) {
    const atMs = step * 1_000 + dice.below(900);
    for (const service of ['steady', 'fitful']) {
      const subject: Subject = { tenant: 'default', environment: 'demo', service };
      const isSilent = service === 'fitful' && step > 40 && step < 130 + dice.below(4);
      if (isSilent || dice.chance(0.3)) continue;
      const startMs = Math.floor((step - 1) / 2) * 2_000;
      told.push({
        atMs,
        body: { type: 'partial', kind, subject, startMs, spans: 1 + dice.below(5), series: [], metrics: [] },
      });
      if (dice.chance(0.2)) {
        const missed = { startMs, lateSpans: 1 + dice.below(3), earlySpans: dice.below(2) };
        told.push({ atMs, body: { type: 'missed', kind, subject, ...missed } });
      }
    }
    if (step > 20 && step < 24) {
      const tardy: Subject = { tenant: 'default', environment: 'demo', service: 'tardy' };
      const startMs = Math.floor((step - 1) / 2) * 2_000;
      told.push({ atMs, body: { type: 'missed', kind, subject: tardy, startMs, lateSpans: 1, earlySpans: 0 } });
    }
    told.push({
      atMs,
      body: { type: 'time', kind, from, atMs: step * 1_000, blind: [], refusedTenants: [], reports: [] },
    });
  }
  return told;
}

/** What is said of subjects when the partitions are read in an order of the dice's, in long runs of one of them. */
function saidOf(queues: readonly (readonly Told[])[], dice: Prng): WindowsMessage[] {
  const aggregator = new GlobalAggregator(CONFIG, {
    lane: 'global:flyball.partials/0',
    origins: { traces: LANES, metrics: [], logs: [], edges: [] },
  });
  const said: WindowsMessage[] = [];
  const outbox = {
    emit: (_topic: string, _key: string, body: WindowsMessage) => void said.push(body),
    broadcast: () => undefined,
    reject: () => undefined,
  };
  const left = queues.map((queue) => [...queue]);
  for (let offset = 0; left.some((queue) => queue.length > 0);) {
    const queue = dice.pick(left.filter((each) => each.length > 0));
    for (const { atMs, body } of queue.splice(0, 1 + dice.below(60))) {
      aggregator.process({ offset, epoch: 0, atMs, key: '', provenance: undefined, body }, outbox);
      offset += 1;
    }
  }
  return said;
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])('the same windows in whatever order partitions are read, seed %i', (seed) => {
  const dice = new Prng(seed);
  const queues = LANES.map((from) => toldBy(from, dice));
  const said = saidOf(queues, dice);
  for (let run = 0; run < 5; run += 1) expect(saidOf(queues, dice)).toEqual(said);
  const sum = (type: 'partial' | 'missed', count: 'spans' | 'lateSpans') =>
    queues
      .flat()
      .reduce(
        (total, { body }) => total + (body.type === type ? (body as unknown as Record<string, number>)[count]! : 0),
        0,
      );
  const windows = said.filter((message) => message.type === 'window');
  const lastMs = Math.max(...windows.map(({ endMs }) => endMs));
  expect(lastMs).toBe(218_000);
  // What the last seconds hold is not out yet.
  expect(windows.reduce((total, { spans }) => total + spans, 0)).toBeGreaterThan(sum('partial', 'spans') * 0.95);
  expect(windows.reduce((total, { lateSpans }) => total + lateSpans, 0)).toBeGreaterThan(
    sum('missed', 'lateSpans') * 0.9,
  );
  // Whoever was silent is forgotten, also a service that was only ever too late: its name must not stay for ever.
  const gone = said.filter((message) => message.type === 'gone').map(({ subject }) => subject.service);
  expect(gone).toEqual(['tardy', 'fitful']);
  const tardy = windows.filter(({ subject }) => subject.service === 'tardy').map(({ lateSpans }) => lateSpans);
  expect(tardy.filter((count) => count > 0)).toEqual([6, 3]);
});
