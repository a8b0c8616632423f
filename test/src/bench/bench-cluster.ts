import { until } from '@flyball/cli';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LAG_MAX, processReport } from '../chaos/check-fleet.ts';
import { ingestCounts } from '../chaos/check-ingest.ts';
import { Cluster } from '../cluster/cluster.ts';

const SENDER = new URL('./sender.ts', import.meta.url).pathname;
const RAW_PARTITIONS = 12;
const CATCH_UP_MS_MAX = 60_000;
/** Spans per second. */
const RATE = 20_000;
/** As by default. */
const WINDOW_MS = 10_000;
/** Clock ticks per second of `/proc/PID/stat`, the same on every Linux that Node runs on. */
const TICKS_PER_S = 100;

/**
 * As by Kafka's default, and not as in tests: whoever comes to a group whose members are all gone waits for the others. Else the first of
 * the aggregators that stood still takes all lanes, and does work for a second that the others do too.
 */
const GROUPS = ['group.initial.rebalance.delay.ms=3000'];
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];
/** Exit code of a command that was interrupted, as shells have it. */
const INTERRUPTED = 130;

/** CPU-seconds since their start, by service, and spans that were stored. */
export interface Reading {
  readonly cpuS: ReadonlyMap<string, number>;
  readonly spans: number;
}

/** Flyball over a real Kafka, Redis and S3 of its own, with what a benchmark asks of it. */
export class BenchCluster {
  readonly cluster: Cluster;
  readonly #dir: string;
  readonly #sending = new AbortController();
  #stopping: Promise<void> | undefined;

  private constructor(cluster: Cluster, dir: string) {
    this.cluster = cluster;
    this.#dir = dir;
  }

  static async start(aggregators: number): Promise<BenchCluster> {
    const dir = mkdtempSync(join(tmpdir(), 'flyball-bench-'));
    const settings = { aggregator: { windowMs: WINDOW_MS, graceMs: 2_000 }, host: { logLevel: 'error' } };
    const processes = { aggregator: aggregators };
    const shape = { dir, token: 'bench', rawPartitions: RAW_PARTITIONS, settings, processes, brokerLines: GROUPS };
    return new BenchCluster(await Cluster.start(shape), dir);
  }

  /** Safe to call twice. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  /** Has the aggregators stand still. */
  freeze(): void {
    for (const name of this.#aggregators) this.cluster.services.signal(name, 'SIGSTOP');
  }

  thaw(): void {
    for (const name of this.#aggregators) this.cluster.services.signal(name, 'SIGCONT');
  }

  /** @param rate - spans per second, {@link Infinity} for as many as are taken. */
  async send(kind: string, ms: number, rate = RATE): Promise<void> {
    const args = [SENDER, this.cluster.hello('ingest').otlpGrpc!, String(ms / 1_000), kind, 'Infinity', String(rate)];
    await promisify(execFile)(process.execPath, args, { signal: this.#sending.signal });
  }

  async read(): Promise<Reading> {
    const { services, kafka } = this.cluster;
    const cpuS = new Map([['broker', cpuSecondsOf(kafka.node(1).pid)]]);
    for (const name of services.names) {
      const service = name.replace(/-\d+$/, '');
      cpuS.set(service, (cpuS.get(service) ?? 0) + cpuSecondsOf(services.hello(name).pid));
    }
    const { stored } = await ingestCounts(this.cluster.hello('ingest').health, 'spans');
    return { cpuS, spans: stored };
  }

  /** Waits until the aggregators' lanes run near their ends; false where that takes a minute. */
  async catchUp(pollMs: number): Promise<boolean> {
    return until(CATCH_UP_MS_MAX, async () => (await this.lag()) <= LAG_MAX, pollMs);
  }

  /** The lag of the aggregators' worst lane, in records; infinite where not all of them run. */
  async lag(): Promise<number> {
    const health = (name: string) => this.cluster.services.hello(name).health;
    const reports = await Promise.all(this.#aggregators.map((name) => processReport(name, health(name))));
    const lanes = reports.flatMap((report) => report.lanes).filter(({ state }) => state === 'running');
    const local = lanes.filter(({ lane }) => lane.startsWith('local:'));
    return local.length < RAW_PARTITIONS ? Infinity : Math.max(...lanes.map(({ lag }) => lag));
  }

  async #stop(): Promise<void> {
    this.#sending.abort();
    this.thaw();
    await this.cluster.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  get #aggregators(): readonly string[] {
    return this.cluster.processesOf('aggregator');
  }
}

/** Gives `work` a cluster with so many aggregators, and stops it after, also when the benchmark is interrupted. */
export async function withCluster<T>(aggregators: number, work: (bench: BenchCluster) => Promise<T>): Promise<T> {
  const bench = await BenchCluster.start(aggregators);
  const interrupt = () => void bench.stop().finally(() => process.exit(INTERRUPTED));
  for (const signal of ENDING) process.on(signal, interrupt);
  try {
    return await work(bench);
  } finally {
    await bench.stop();
    for (const signal of ENDING) process.off(signal, interrupt);
  }
}

/** What a span cost each service between two readings, CPU-microseconds. */
export function usPerSpan(before: Reading, after: Reading): ReadonlyMap<string, number> {
  const spans = after.spans - before.spans;
  return new Map(
    [...after.cpuS].map(([service, cpuS]) => [service, ((cpuS - before.cpuS.get(service)!) * 1e6) / spans]),
  );
}

/** User and system time of a process, s: fields 14 and 15 of `/proc/PID/stat`, proc(5). */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}
