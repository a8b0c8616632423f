import { until } from '@flyball/cli';
import type { WindowKind } from '@flyball/contracts';
import type { ChaosStage } from './chaos-stage.ts';
import { readLogs, readPoints, readSpans, type RawResource } from './raw-items.ts';
import { type Counted, countedEdges, countedLogs, countedMetrics, type Held, type Sizes } from './side-oracle.ts';
import { foundWindows } from './side-windows.ts';
import { type PartitionRecords, topicRecords } from './topic-records.ts';
import { type Sent, type Signal, Traffic } from './traffic.ts';

const SETTLE_MS = 60_000;
/** Windows of a run, as in `play.ts`. */
const SIZES = { windowMs: 2_000, graceMs: 1_000 };

type Read = (value: Uint8Array) => readonly RawResource<unknown>[];
const RAW: readonly (readonly [Signal, string, Read])[] = [
  ['traces', 'otlp_spans', readSpans],
  ['metrics', 'otlp_metrics', readPoints],
  ['logs', 'otlp_logs', readLogs],
];
type Count = (raw: readonly PartitionRecords[], sizes: Sizes) => Counted;
const SIDES: readonly (readonly [WindowKind, string, Count])[] = [
  ['metrics', 'otlp_metrics', countedMetrics],
  ['logs', 'otlp_logs', countedLogs],
  ['edges', 'otlp_spans', countedEdges],
];

/** Requests of a kind that are not in the log as often as they were acked: once; what is unknown at most once. */
export function undelivered(
  ledger: ReadonlyMap<string, Sent>,
  signal: Signal,
  raw: readonly PartitionRecords[],
): readonly string[] {
  const [, , read] = RAW.find(([name]) => name === signal)!;
  const found = new Map<string, number>();
  for (const { value } of raw.flatMap(({ counted }) => counted)) {
    for (const { request } of read(value)) found.set(request, (found.get(request) ?? 0) + 1);
  }
  const foreign = [...found.keys()].filter((id) => id !== '' && !ledger.has(id));
  const wrong = [...ledger].flatMap(([id, { signal: of, fate, resources }]) => {
    const copies = found.get(id) ?? 0;
    const isRight = copies === resources || (fate === 'unknown' && copies === 0);
    return of !== signal || isRight ? [] : [`${id} ${fate}: ${copies} of ${resources}`];
  });
  return [...wrong, ...foreign.map((id) => `${id} was sent by nobody`)];
}

/** Places at which windows, or counts of what came late, differ from what the raw records hold. */
function differences({ windows, late }: Counted, found: Counted): readonly string[] {
  const textOf = (held: Held | undefined) =>
    held === undefined ? 'nothing' : JSON.stringify([held.items, Object.entries(held.series).sort()]);
  const places = new Set([...windows.keys(), ...found.windows.keys()]);
  const wrong = [...places].filter((place) => textOf(windows.get(place)) !== textOf(found.windows.get(place)));
  const subjects = new Set([...late.keys(), ...found.late.keys()]);
  const missed = [...subjects].filter((subject) => late.get(subject) !== found.late.get(subject));
  return [
    ...wrong.map((place) => `${place}: ${textOf(found.windows.get(place))}, wanted ${textOf(windows.get(place))}`),
    ...missed.map((subject) => `${subject}: ${found.late.get(subject) ?? 0} late, wanted ${late.get(subject) ?? 0}`),
  ];
}

/** Sends metrics, logs and calls while something is done, and then checks what became of them. */
export async function withTraffic(
  stage: ChaosStage,
  entries: Readonly<Record<string, string>>,
  work: () => Promise<void>,
): Promise<void> {
  const traffic = new Traffic(entries, stage.dice.below(1_000_000));
  traffic.url = stage.flyball.addresses.otlpHttp;
  traffic.start();
  try {
    await work();
  } finally {
    await traffic.stop();
  }
  await checkSideWindows(stage, traffic);
}

/** What was acked is in the log, and windows of metrics, logs and edges hold what the log holds, each once. Nothing may come any more. */
async function checkSideWindows({ log, findings }: ChaosStage, { ledger }: Traffic): Promise<void> {
  const closesMs = Date.now() + SIZES.windowMs;
  const isClosed = await until(SETTLE_MS, async () => {
    const windows = await topicRecords(log, 'flyball.windows');
    return SIDES.every(([kind]) => foundWindows(windows, kind).closedMs >= closesMs);
  });
  findings.expect(isClosed, 'windows of metrics, logs or edges do not close');
  const windows = await topicRecords(log, 'flyball.windows');
  for (const [signal, topic] of RAW) {
    findings.none(
      undelivered(ledger, signal, await topicRecords(log, topic)),
      `requests of ${signal} are not there once`,
    );
  }
  for (const [kind, topic, count] of SIDES) {
    const found = foundWindows(windows, kind);
    const expected = count(await topicRecords(log, topic), SIZES);
    // What is sent meanwhile by others is in windows that are not closed yet.
    const isOver = ([place]: readonly [string, Held]) => Number(place.split(' ').at(-1)) + SIZES.windowMs <= closesMs;
    const over = (all: Counted): Counted => ({ ...all, windows: new Map([...all.windows].filter(isOver)) });
    findings.none(differences(over(expected), over(found)), `windows of ${kind} differ from the oracle`);
    findings.none(found.repeated, `windows of ${kind} were emitted twice`);
    findings.note(`windows of ${kind}`, found.windows.size);
    findings.expect(found.windows.size > 0, `no windows of ${kind}`);
  }
}
