import { until } from '@flyball/cli';
import { windowsCodec } from '@flyball/contracts';
import { KafkaLog } from '@flyball/log-kafka';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LAG_MAX, processReport } from '../chaos/check-fleet.ts';
import { ingestCounts } from '../chaos/check-ingest.ts';
import { topicRecords } from '../chaos/topic-records.ts';
import { Cluster } from '../cluster/cluster.ts';
import type { Finding } from './measure.ts';

const SENDER = new URL('./sender.ts', import.meta.url).pathname;
const RAW_PARTITIONS = 12;
const RATE = 20_000;
/** As by default. */
const WINDOW_MS = 10_000;
const WARM_MS = 12_000;
const MEASURE_MS = 20_000;
const FILL_MS = 30_000;
const WARM_ROUNDS = 2;
const RECOVERY_MS_MAX = 60_000;
/** Clock ticks per second of `/proc/PID/stat`, the same on every Linux that Node runs on. */
const TICKS_PER_S = 100;

/** CPU-seconds since their start, by service, and spans that were stored. */
interface Reading {
  readonly cpuS: ReadonlyMap<string, number>;
  readonly spans: number;
}

/** What a span costs. */
interface Cost {
  readonly spans: number;
  /** CPU-microseconds per span, by service. */
  readonly usPerSpan: ReadonlyMap<string, number>;
  readonly lag: number;
}

/** Spans per CPU-second of each service and of the broker, over a real Kafka, Redis and S3. */
export async function benchServices(): Promise<readonly Finding[]> {
  const { spans, usPerSpan, lag } = await withCluster(1, cost);
  return [...usPerSpan].map(([service, us]) => ({
    name: `${service}, on Kafka`,
    value: 1e6 / us,
    unit: 'spans/CPU-s',
    against: `${spans} spans in ${MEASURE_MS / 1_000} s, lag ${lag} at the end`,
  }));
}

/**
 * 1, 2 and 4 aggregator processes over the same partitions: what a span costs all of them together, when there is enough to do
 * for each. They stand still while the log fills, and then catch up: an idle process has a price of its own, which is no work. Nor is
 * what a new process pays until it is compiled and its heap has grown, about a CPU-second: they have caught up before.
 */
export async function benchAggregators(): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  let one = 0;
  for (const aggregators of [1, 2, 4]) {
    const { us, spans } = await withCluster(aggregators, (cluster) => catchUpCost(cluster, 'realistic'));
    one ||= us;
    const against = `${(us / one).toFixed(2)} of one process; wanted within 10 %; ${spans} spans`;
    findings.push({
      name: `${aggregators} aggregator processes that catch up`,
      value: us,
      unit: 'CPU-us/span',
      against,
    });
  }
  return findings;
}

/** CPU-microseconds per span of all aggregators together, that catch up with what came while they stood still. */
async function catchUpCost(cluster: Cluster, kind: string): Promise<{ readonly us: number; readonly spans: number }> {
  const names = cluster.processesOf('aggregator');
  const cpuS = () => names.reduce((sum, name) => sum + cpuSecondsOf(cluster.services.hello(name).pid), 0);
  await send(cluster, kind, WARM_MS / 1_000);
  let cost = { us: 0, spans: 0 };
  for (let round = 0; round <= WARM_ROUNDS; round += 1) {
    for (const name of names) cluster.services.signal(name, 'SIGSTOP');
    const before = { cpuS: cpuS(), spans: await storedSpans(cluster) };
    await send(cluster, kind, FILL_MS / 1_000, Infinity);
    for (const name of names) cluster.services.signal(name, 'SIGCONT');
    const isWell = await until(RECOVERY_MS_MAX, async () => (await lagOf(cluster)) <= LAG_MAX, 500);
    if (!isWell) throw new Error('the aggregators do not catch up');
    const spans = (await storedSpans(cluster)) - before.spans;
    cost = { us: ((cpuS() - before.cpuS) * 1e6) / spans, spans };
  }
  return cost;
}

/** Ten times the services: what a span costs then, when there is enough to do. */
export async function benchSeries(): Promise<readonly Finding[]> {
  const few = await withCluster(1, (cluster) => catchUpCost(cluster, 'realistic'));
  const many = await withCluster(1, (cluster) => catchUpCost(cluster, 'tenfold'));
  const [unit, name] = ['CPU-us/span', 'aggregator,'];
  return [
    { name: `${name} 20 services of 10 operations`, value: few.us, unit, against: `${few.spans} spans` },
    {
      name: `${name} 200 services of 10 operations`,
      value: many.us,
      unit,
      against: `${(many.us / few.us).toFixed(2)}x; at most 1.3x; ${many.spans} spans`,
    },
  ];
}

/** kill -9 of the only aggregator with 100,000 series under load: how long until all its lanes run near their ends again. */
export async function benchRecovery(): Promise<readonly Finding[]> {
  return withCluster(1, async (cluster) => {
    const sending = send(cluster, 'crowd', 60);
    await pause(30_000);
    const fromMs = performance.now();
    await cluster.services.kill('aggregator-1');
    await cluster.services.restart('aggregator-1');
    const isWell = await until(RECOVERY_MS_MAX, async () => (await lagOf(cluster)) <= LAG_MAX, 100);
    const seconds = (performance.now() - fromMs) / 1_000;
    await sending;
    const series = await seriesOfWindows(cluster);
    const against = `at most 15; ${series} series in the fullest window; ${isWell ? 'caught up' : 'NOT caught up'}`;
    return [{ name: 'aggregator: from kill -9 to no lag', value: seconds, unit: 's', against }];
  });
}

async function withCluster<T>(aggregators: number, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'flyball-bench-'));
  const settings = { aggregator: { windowMs: WINDOW_MS, graceMs: 2_000 }, host: { logLevel: 'error' } };
  const processes = { aggregator: aggregators };
  const cluster = await Cluster.start({ dir, token: 'bench', rawPartitions: RAW_PARTITIONS, settings, processes });
  try {
    return await work(cluster);
  } finally {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What a span costs every service at a steady rate, idling included. */
async function cost(cluster: Cluster): Promise<Cost> {
  const sending = send(cluster, 'realistic', (WARM_MS + MEASURE_MS) / 1_000 + 3);
  await pause(WARM_MS);
  const before = await read(cluster);
  await pause(MEASURE_MS);
  const after = await read(cluster);
  const lag = await lagOf(cluster);
  await sending;
  const spans = after.spans - before.spans;
  const costs = [...after.cpuS].map(
    ([service, cpuS]) => [service, ((cpuS - before.cpuS.get(service)!) * 1e6) / spans] as const,
  );
  return { spans, usPerSpan: new Map(costs), lag };
}

async function send(cluster: Cluster, kind: string, seconds: number, rate = RATE): Promise<void> {
  const args = [SENDER, cluster.hello('ingest').otlpGrpc!, String(seconds), kind, 'Infinity', String(rate)];
  await promisify(execFile)(process.execPath, args);
}

async function read(cluster: Cluster): Promise<Reading> {
  const { services, kafka } = cluster;
  const cpuS = new Map<string, number>();
  for (const name of services.names) {
    const service = name.replace(/-\d+$/, '');
    cpuS.set(service, (cpuS.get(service) ?? 0) + cpuSecondsOf(services.hello(name).pid));
  }
  cpuS.set('broker', cpuSecondsOf(kafka.node(1).pid));
  return { cpuS, spans: await storedSpans(cluster) };
}

/** Spans that ingest has stored. */
async function storedSpans(cluster: Cluster): Promise<number> {
  return (await ingestCounts(cluster.hello('ingest').health, 'spans')).stored;
}

/** User and system time of a process, s: fields 14 and 15 of `/proc/PID/stat`, proc(5). */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** The lag of the aggregators' worst lane, in records; infinite where not all of them run. */
async function lagOf(cluster: Cluster): Promise<number> {
  const names = cluster.processesOf('aggregator');
  const reports = await Promise.all(names.map((name) => processReport(name, cluster.services.hello(name).health)));
  const lanes = reports.flatMap((report) => report.lanes).filter(({ state }) => state === 'running');
  const local = lanes.filter(({ lane }) => lane.startsWith('local:'));
  return local.length < RAW_PARTITIONS ? Infinity : Math.max(...lanes.map(({ lag }) => lag));
}

async function seriesOfWindows({ kafka }: Cluster): Promise<number> {
  const log = await KafkaLog.open({ url: kafka.url });
  try {
    const byStart = new Map<number, number>();
    for (const { counted } of await topicRecords(log, 'flyball.windows')) {
      for (const message of counted.map((record) => windowsCodec.decode(record))) {
        if (message.type !== 'window') continue;
        byStart.set(message.startMs, (byStart.get(message.startMs) ?? 0) + message.series.length);
      }
    }
    return Math.max(0, ...byStart.values());
  } finally {
    await log.close();
  }
}
