import { type Incident, incidentsCodec, outcomesCodec, type WindowKind } from '@flyball/contracts';
import { EmbeddedLog } from '@flyball/log-embedded';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { undelivered } from '../chaos/check-side-windows.ts';
import { newestIncidents, toldBreaches, type ToldIncident } from '../chaos/check-told.ts';
import { checkWindows, emittedWindows } from '../chaos/check-windows.ts';
import { Findings } from '../chaos/findings.ts';
import { type PartitionRecords, topicRecords } from '../chaos/topic-records.ts';
import { expectedWindows } from '../chaos/window-oracle.ts';
import { type KillStory, KillStoryTeller, STORY_MS } from './kill-story.ts';
import { SIZES } from './killed-flyball.ts';
import { type Counted, countedEdges, countedLogs, countedMetrics } from '../chaos/side-oracle.ts';
import { foundWindows } from '../chaos/side-windows.ts';

// Goal: who runs Flyball on one machine loses nothing that was acknowledged when the whole process dies, be it in the middle of
// learning, of a question, of a throttle or of a rollback; and nothing is done twice. Method: the real command, killed with
// SIGKILL at seeded moments and started again over the same data; then its log against a ledger and an oracle over the raw
// records, and what those have seen whom it acts on and whom it tells.

const SEED = Number(process.env['KILL_SEED'] ?? 1);

let teller: KillStoryTeller;
let story: KillStory;
let topics: Readonly<Record<string, readonly PartitionRecords[]>>;
beforeAll(async () => {
  teller = await KillStoryTeller.open(SEED);
  story = await teller.tell();
  const log = await EmbeddedLog.open({ dir: join(story.dir, 'log') });
  const names = ['otlp_spans', 'otlp_metrics', 'otlp_logs', 'flyball.windows', 'flyball.incidents'];
  const read = await Promise.all(
    [...names, 'remediation.outcomes'].map(async (name) => [name, await topicRecords(log, name)] as const),
  );
  topics = Object.fromEntries(read);
  await log.close();
}, STORY_MS + 30_000);
afterAll(() => teller.close());

const recordsOf = (topic: string) => topics[topic]!.flatMap(({ counted }) => counted);

test('it died four times, was stopped once, and stops in the end as it should', () => {
  expect([story.lives, story.exitCode]).toEqual([6, 0]);
});

test.each([
  ['traces', 'otlp_spans'],
  ['metrics', 'otlp_metrics'],
  ['logs', 'otlp_logs'],
] as const)('%s that were acked are in the log once, what was unknown at most once', (signal, topic) => {
  const { ledger } = story.traffic;
  expect(undelivered(ledger, signal, topics[topic]!)).toEqual([]);
  const fates = Map.groupBy(ledger.values(), (sent) => (sent.signal === signal ? sent.fate : 'another'));
  // Some were under way when it died; most were not.
  expect(fates.get('unknown')!.length).toBeGreaterThan(0);
  expect(fates.get('acked')!.length).toBeGreaterThan(50);
});

test('windows of traces hold what the log holds, each once', () => {
  const expected = expectedWindows(topics['otlp_spans']!, { ...SIZES, earlyMs: 60_000 });
  const emitted = emittedWindows(topics['flyball.windows']!);
  const findings = new Findings();
  checkWindows(expected, emitted, findings);
  expect(findings.failures).toEqual([]);
  expect(emitted.closedMs).toBeGreaterThan(story.endedMs);
});

test.each<[WindowKind, string, (raw: readonly PartitionRecords[], sizes: typeof SIZES) => Counted]>([
  ['metrics', 'otlp_metrics', countedMetrics],
  ['logs', 'otlp_logs', countedLogs],
  ['edges', 'otlp_spans', countedEdges],
])('windows of %s hold what the log holds, each once', (kind, topic, counted) => {
  const expected = counted(topics[topic]!, SIZES);
  const found = foundWindows(topics['flyball.windows']!, kind);
  expect(found.closedMs).toBeGreaterThan(story.endedMs);
  expect(found.repeated).toEqual([]);
  expect(Object.fromEntries(found.windows)).toEqual(Object.fromEntries(expected.windows));
  expect(Object.fromEntries(found.late)).toEqual(Object.fromEntries(expected.late));
  expect(found.windows.size).toBeGreaterThan(50);
});

test('a question waits for its answer through a death, and is the same', () => {
  const { before, after } = story.asked;
  expect(after).toEqual(before);
});

test('a question whose time ended while nobody was there is a no', () => {
  expect(story.lateAnswer).toMatch(/the time to answer .* is over/);
  const hasty = newest().filter(({ environment }) => environment === 'hasty');
  expect(hasty.flatMap(({ decisions }) => decisions.flatMap(({ approval }) => approval?.status ?? []))).toEqual([
    'expired',
  ]);
  expect(hasty.flatMap(({ commandIds }) => commandIds)).toEqual([]);
  expect(ordersTo('payment')).toEqual([]);
});

test('what was approved is carried out once, though it died right after the yes', () => {
  const { commandId } = story.asked.before;
  expect(ordersTo('checkout')).toEqual([`apply ${commandId}`]);
  expect(outcomesOf(commandId)).toEqual(['applied']);
});

test('a throttle whose time ended while nobody was there is set once and released', () => {
  const [first = '', ...rest] = ordersTo('web');
  const commandId = first.replace('apply ', '');
  expect(first).toMatch(/^apply c-/);
  // To release is safe to repeat, and may be: at least once.
  expect(new Set(rest)).toEqual(new Set([`invert ${commandId} 1`]));
  expect(story.deployer.shop.rollouts.read('web', 0)!.throttle).toBeNull();
  expect(outcomesOf(commandId)).toEqual(['applied', 'reverted']);
});

test('whoever is told of incidents is told of each: that it began, and how it ended; repeats have the same key', () => {
  expect(toldBreaches(story.tickets.bodies<ToldIncident>(), incidents())).toEqual([]);
  const ended = newest().filter(({ status }) => status === 'closed');
  expect(ended.map(({ environment }) => environment)).toEqual(expect.arrayContaining(['careful', 'busy']));
});

function incidents(): readonly Incident[] {
  return recordsOf('flyball.incidents').map((record) => incidentsCodec.decode(record));
}

const newest = () => newestIncidents(incidents());

/** What a target was ordered, in order; that it was read is no order. */
function ordersTo(target: string): readonly string[] {
  return story.deployer.taken
    .filter((order) => order.target.name === target && (order.type === 'apply' || order.type === 'invert'))
    .map(({ type, commandId, doneRatio }) =>
      type === 'apply' ? `apply ${commandId}` : `invert ${commandId} ${doneRatio}`,
    );
}

function outcomesOf(commandId: string): readonly string[] {
  const messages = recordsOf('remediation.outcomes').map((record) => outcomesCodec.decode(record));
  return messages.flatMap((each) => (each.type === 'outcome' && each.commandId === commandId ? [each.status] : []));
}
