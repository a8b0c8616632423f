import { AggregatorConfig } from '@flyball/aggregator';
import { type Incident, windowsCodec } from '@flyball/contracts';
import { Prng } from '@flyball/core';
import type { StoredRecord } from '@flyball/runtime';
import { recordsOf } from '@flyball/testing';
import { describe, expect, test } from 'vitest';
import { RAW, TwoPhases } from '../aggregator/two-phases.ts';
import { LANES, LineWorld, QUIET, simulatedSpecs } from '../sim/line-world.ts';
import { chaosRequest } from './chaos-request.ts';
import { checkDelivery } from './check-delivery.ts';
import { checkReplay, runLog } from './check-replay.ts';
import { toldBreaches, type ToldIncident } from './check-told.ts';
import { checkWindows, emittedWindows } from './check-windows.ts';
import { Findings } from './findings.ts';
import { Ledger } from './ledger.ts';
import { type PartitionRecords, pastMarks } from './topic-records.ts';
import { expectedWindows } from './window-oracle.ts';

// Goal: a run that passes means something. Method: records of a healthy run pass; then one thing at a time is lost, doubled,
// altered or stored against its sender's will, and each must be named.

const SIZES = { windowMs: 2_000, graceMs: 1_000, earlyMs: 60_000 };

/** A healthy run over a log in memory: what was sent, and all that came of it. */
async function healthy() {
  const dice = new Prng(1);
  const bench = await TwoPhases.open(AggregatorConfig.parse({ windowMs: 2_000, graceMs: 1_000, settleMs: 0 }));
  const ledger = new Ledger();
  for (let second = 1; second <= 30; second += 1) {
    await bench.tick(second * 1_000);
    if (second > 20) continue;
    const id = `r-${second}`;
    const plan = { id, environment: 'demo', service: `s${second % 3}`, spans: 5, nowMs: bench.clock.nowMs };
    const value = chaosRequest(plan, dice);
    ledger.answered(ledger.sent(id, value, 5), { kind: 'acked' });
    const headers = { 'flyball-provenance': `0.${second}.0@writer:ingest/a` };
    const record = { key: '', headers, value };
    // The second of two appends of the same record is no request of its own.
    for (let time = 0; time < (second % 4 === 0 ? 2 : 1); time += 1) {
      await bench.log.append({ topic: 'otlp_spans', partition: second % RAW }, [record]);
    }
  }
  await bench.run();
  const topic = (name: string, partitions: number) =>
    Promise.all(
      Array.from({ length: partitions }, async (_, partition) => {
        return recordsOf(bench.log, { topic: name, partition });
      }),
    );
  return { ledger, raw: await topic('otlp_spans', RAW), windows: await topic('flyball.windows', 2) };
}

type Run = Awaited<ReturnType<typeof healthy>>;

function failuresOf({ ledger, raw, windows }: Run, isPartitionDown = false): readonly string[] {
  const findings = new Findings();
  const read = (lists: readonly (readonly StoredRecord[])[]): PartitionRecords[] =>
    lists.map((stored, partition) => ({ partition, stored, counted: pastMarks(stored) }));
  const expected = expectedWindows(read(raw), SIZES);
  checkDelivery(ledger, expected.chunks, findings);
  checkWindows(expected, emittedWindows(read(windows)), findings, isPartitionDown);
  return findings.failures;
}

/** The partitions of a topic, with one record of a kind changed, left out, or given more than once. */
function changed(
  lists: readonly (readonly StoredRecord[])[],
  isIt: (record: StoredRecord) => boolean,
  change: (record: StoredRecord) => readonly StoredRecord[],
): (readonly StoredRecord[])[] {
  let isDone = false;
  return lists.map((records) =>
    records.flatMap((record) => {
      if (isDone || !isIt(record)) return [record];
      isDone = true;
      return change(record);
    }),
  );
}

const isSpans = ({ value }: StoredRecord) => value.length > 0;
const isWindow = (record: StoredRecord) => {
  const message = windowsCodec.decode(record);
  return message.type === 'window' && message.spans > 0;
};
const withWindow = (record: StoredRecord, more: object): StoredRecord[] => {
  const message = windowsCodec.decode(record);
  return [{ ...record, value: windowsCodec.encode({ ...message, ...more } as never) }];
};

test('a healthy run passes', async () => {
  expect(failuresOf(await healthy())).toEqual([]);
});

test.each<[string, RegExp, (run: Run) => Run]>([
  [
    'an acked request that is not in the log',
    /acked requests are not in the log/,
    (run) => ({ ...run, raw: changed(run.raw, isSpans, () => []) }),
  ],
  [
    'a request that is there twice, under another name',
    /more often than they were acked/,
    (run) => {
      const again = (record: StoredRecord) => ({
        ...record,
        headers: { 'flyball-provenance': '0.1.0@writer:ingest/b' },
      });
      return { ...run, raw: changed(run.raw, isSpans, (record) => [record, again(record)]) };
    },
  ],
  [
    'a request that was refused, and is there',
    /more often than they were acked/,
    (run) => {
      run.ledger.entries[4]!.acked = 0;
      return run;
    },
  ],
  [
    'a byte that is another',
    /not in the log as they were sent/,
    (run) => {
      const spoil = (record: StoredRecord) => {
        const value = Buffer.from(record.value);
        value[value.length - 1]! ^= 1;
        return [{ ...record, value }];
      };
      return { ...run, raw: changed(run.raw, isSpans, spoil) };
    },
  ],
  [
    'a window that is not there',
    /windows differ from the oracle/,
    (run) => ({ ...run, windows: changed(run.windows, isWindow, () => []) }),
  ],
  [
    'a window with a span too many',
    /windows differ from the oracle/,
    (run) => ({ ...run, windows: changed(run.windows, isWindow, (record) => withWindow(record, { spans: 99 })) }),
  ],
  [
    'a window whose series are gone',
    /windows differ from the oracle/,
    (run) => ({ ...run, windows: changed(run.windows, isWindow, (record) => withWindow(record, { series: [] })) }),
  ],
  [
    'late spans that were made up',
    /window \+ late \+ early/,
    (run) => ({ ...run, windows: changed(run.windows, isWindow, (record) => withWindow(record, { lateSpans: 1 })) }),
  ],
])('%s is named', async (_name, expected, plant) => {
  expect(failuresOf(plant(await healthy())).join('\n')).toMatch(expected);
});

test('what a rough run has said is said again by lanes that run undisturbed; what was altered, or said by nobody, is named', async () => {
  const story = { ...QUIET, seconds: 40, deployAt: 20, canaryErrors: 0.5 };
  const { log } = await LineWorld.run(7, { zombie: 0.02, crash: 0.02, checkpoint: 0.05 }, story);
  const run = await runLog(log, LANES);
  const findings = new Findings();
  await checkReplay(run, simulatedSpecs(), findings);
  expect(findings.failures).toEqual([]);
  expect(findings.numbers['records said again']).toBeGreaterThan(500);
  const said = run.said.get('flyball.signals')!.find(({ counted }) => counted.length > 0)!;
  const alterations: readonly ((record: StoredRecord) => Partial<StoredRecord>)[] = [
    ({ value }) => ({ value: Uint8Array.from(value, (byte, index) => (index === value.length - 2 ? byte ^ 1 : byte)) }),
    ({ headers }) => ({ headers: { ...headers, 'flyball-at': '1' } }),
    () => ({ key: 'another' }),
  ];
  for (const alter of alterations) {
    const counted = said.counted.with(-1, { ...said.counted.at(-1)!, ...alter(said.counted.at(-1)!) });
    const altered = run.said.get('flyball.signals')!.map((each) => (each === said ? { ...each, counted } : each));
    const found = new Findings();
    await checkReplay({ ...run, said: new Map(run.said).set('flyball.signals', altered) }, simulatedSpecs(), found);
    expect(found.failures.join()).toContain('1 lanes say something else');
  }
});

test('a window that went on without a partition may lack what counts as late, and nothing else', async () => {
  const run = await healthy();
  const without = (lateSpans: number, coverage: number) => {
    const change = (record: StoredRecord) => {
      const { spans } = windowsCodec.decode(record) as { spans: number };
      return withWindow(record, { spans: spans - 1, lateSpans, coverage });
    };
    return failuresOf({ ...run, windows: changed(run.windows, isWindow, change) }, true).join('\n');
  };
  expect(without(1, 0.5)).toBe('');
  expect(without(0, 0.5)).toMatch(/windows lack 1 spans more/);
  expect(without(1, 1)).toMatch(/windows differ from the oracle/);
});

describe('who is told of incidents', () => {
  const incident = (revision: number, status: string) => ({ incidentId: 'inc-1', revision, status }) as Incident;
  const told = (revision: number, event: string, status = 'open'): ToldIncident => ({
    ...{ event, dedupeKey: `inc-1/${revision}` },
    incident: { incidentId: 'inc-1', revision, status, environment: 'demo' },
  });
  const record = [incident(1, 'open'), incident(2, 'mitigating'), incident(3, 'closed')];
  const [opened, changed, closed] = [told(1, 'opened'), told(2, 'changed', 'mitigating'), told(3, 'closed', 'closed')];

  test.each([
    ['once', [opened, changed, closed]],
    ['twice', [opened, changed, changed, closed, closed]],
    ['of what is news by then', [opened, closed]],
    ['only when it was over', [closed]],
  ])('%s is in order', (_how, all) => {
    expect(toldBreaches(all, record)).toEqual([]);
  });

  const other = { ...changed, incident: { ...changed.incident, environment: 'another' } };
  test.each([
    ['nothing', [], /began with nothing/],
    ['no beginning', [changed, closed], /began with changed/],
    ['no end', [opened, changed], /ended with inc-1\/2/],
    ['an older state after a newer one', [opened, closed, changed, closed], /inc-1\/2 came too late/],
    ['another state than is on record', [opened, told(2, 'changed', 'open'), closed], /was told as open/],
    ['two things under one key', [opened, changed, other, closed], /told in 2 ways/],
  ])('%s is named', (_what, all, expected) => {
    expect(toldBreaches(all, record).join('\n')).toMatch(expected);
  });

  test('an incident that nobody has on record is named', () => {
    expect(toldBreaches([opened], [])).toEqual(['inc-1 is not on record']);
  });
});
