import { windowsCodec } from '@flyball/contracts';
import { KafkaLog } from '@flyball/log-kafka';
import { setTimeout as pause } from 'node:timers/promises';
import { topicRecords } from '../chaos/topic-records.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { usPerSpan, withCluster } from './bench-cluster.ts';
import { type CatchUpCost, catchUpCost } from './catch-up.ts';
import type { Finding } from './measure.ts';

const WARM_MS = 12_000;
const MEASURE_MS = 20_000;
const BEFORE_KILL_MS = 30_000;
/** Spans per second: so many that a window of 10 s has every operation of the crowd, which are more than 100,000 series. */
const CROWD_RATE = 10_000;

/** Spans per CPU-second of each service and of the broker, over a real Kafka, Redis and S3, at a steady rate, idling included. */
export async function benchServices(): Promise<readonly Finding[]> {
  return withCluster(1, async (bench) => {
    const sending = bench.send('realistic', WARM_MS + MEASURE_MS + 3_000);
    await pause(WARM_MS);
    const before = await bench.read();
    await pause(MEASURE_MS);
    const after = await bench.read();
    const lag = await bench.lag();
    await sending;
    return [...usPerSpan(before, after)].map(([service, us]) => ({
      name: `${service}, on Kafka`,
      value: 1e6 / us,
      unit: 'spans/CPU-s',
      against: `${after.spans - before.spans} spans in ${MEASURE_MS / 1_000} s, lag ${lag} at the end`,
    }));
  });
}

/** 1, 2 and 4 aggregator processes over the same partitions: what a span costs all of them together. */
export async function benchAggregators(): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  let one: CatchUpCost | undefined;
  for (const aggregators of [1, 2, 4]) {
    const cost = await catchUpCost(aggregators, 'realistic');
    one ??= cost;
    findings.push(found(`${aggregators} aggregator processes that catch up`, cost, one, 'wanted within 10 %'));
  }
  return findings;
}

/** Ten times the services: what a span costs then. */
export async function benchSeries(): Promise<readonly Finding[]> {
  const few = await catchUpCost(1, 'realistic');
  const many = await catchUpCost(1, 'tenfold');
  return [
    found('aggregator, 20 services of 10 operations', few, few, ''),
    found('aggregator, 200 services of 10 operations', many, few, 'at most 1.3'),
  ];
}

/** kill -9 of the only aggregator with 100,000 series under load: how long until all its lanes run near their ends again. */
export async function benchRecovery(): Promise<readonly Finding[]> {
  return withCluster(1, async (bench) => {
    const { services } = bench.cluster;
    const sending = bench.send('crowd', 2 * BEFORE_KILL_MS, CROWD_RATE);
    await pause(BEFORE_KILL_MS);
    // Where it was behind already, the machine is too slow for the load, and the time says nothing of a recovery.
    const lagBefore = await bench.lag();
    const fromMs = performance.now();
    await services.kill('aggregator-1');
    await services.restart('aggregator-1');
    const isWell = await bench.catchUp(100);
    const seconds = (performance.now() - fromMs) / 1_000;
    await sending;
    const series = await seriesOfWindows(bench.cluster);
    const end = isWell ? 'caught up' : 'NOT caught up';
    const against = `at most 15; ${series} series in the fullest window; lag ${lagBefore} before; ${end}`;
    return [{ name: 'aggregator: from kill -9 to no lag', value: seconds, unit: 's', against }];
  });
}

function found(name: string, cost: CatchUpCost, base: CatchUpCost, wanted: string): Finding {
  const without = `${cost.ratio.toFixed(2)} (${cost.leastRatio.toFixed(2)} to ${cost.mostRatio.toFixed(2)}) of the same without servers`;
  const against =
    wanted === '' ? without : `${without}; ${(cost.ratio / base.ratio).toFixed(2)} of the first; ${wanted}`;
  return { name, value: cost.us, unit: 'CPU-us/span', against };
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
