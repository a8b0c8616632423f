import { AggregatorConfig, aggregatorSpecs } from '@flyball/aggregator';
import { RAW_TOPICS } from '@flyball/contracts';
import { SECOND_MS } from '@flyball/core';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { LaneRunner, Line } from '@flyball/runtime';
import type { Finding } from './measure.ts';
import { RequestTemplate } from './request-template.ts';

const RAW_PARTITIONS = 12;
const LANES = 4;
const SPANS = 100;
const REQUESTS_PER_SECOND = 200;
const WARM_SECONDS = 12;
const SECONDS = 40;
const LANE_TOPICS = ['flyball.partials', 'flyball.traces', 'flyball.windows', 'flyball.dead_letters'];
const SHAPE = { lanes: LANES, rawPartitions: RAW_PARTITIONS, nodeVersion: process.version };

/** The aggregator's own work over a log in memory: ten times the services at the same rate of spans, in the same run. */
export async function benchAggregator(): Promise<readonly Finding[]> {
  const few = await costInMemory(20);
  const many = await costInMemory(200);
  const [unit, name] = ['CPU-us/span', 'aggregator in memory,'];
  return [
    { name: `${name} 20 services of 10 operations`, value: few, unit, against: '' },
    { name: `${name} 200 services`, value: many, unit, against: `${(many / few).toFixed(2)}x` },
  ];
}

/** CPU-microseconds per span of all lanes of `local`, `joiner` and `global` together, over a log in memory. */
export async function costInMemory(services: number): Promise<number> {
  let nowMs = 1_700_000_000_000;
  const ports = { log: new MemoryLog(() => nowMs), objects: new MemoryObjects() };
  for (const topic of Object.values(RAW_TOPICS)) await ports.log.create(topic, RAW_PARTITIONS);
  for (const topic of LANE_TOPICS) await ports.log.create(topic, LANES);
  const config = AggregatorConfig.parse({ windowMs: 10 * SECOND_MS, graceMs: 2 * SECOND_MS });
  const lanes: LaneRunner<unknown, never>[] = [];
  for (const spec of aggregatorSpecs(config, new Line(SHAPE, [config]))) {
    const count = spec.name === 'local' ? RAW_PARTITIONS : LANES;
    for (let lane = 0; lane < count; lane += 1) lanes.push((await LaneRunner.open(spec, ports, lane)) as never);
  }
  const templates = Array.from({ length: services }, (_, service) => new RequestTemplate(SPANS, nowMs, service));
  let cpuUs = 0;
  for (let second = 0; second < WARM_SECONDS + SECONDS; second += 1) {
    for (let request = 0; request < REQUESTS_PER_SECOND; request += 1) {
      const turn = second * REQUESTS_PER_SECOND + request;
      const body = templates[turn % services]!.at(turn, nowMs);
      // Services move on over the partitions, as writers that go round do.
      const partition = (turn + Math.floor(turn / services)) % RAW_PARTITIONS;
      const record = { key: '', headers: {}, value: Uint8Array.from(body) };
      await ports.log.append({ topic: RAW_TOPICS.traces, partition }, [record]);
      nowMs += SECOND_MS / REQUESTS_PER_SECOND;
    }
    const before = process.cpuUsage();
    for (const lane of lanes) while ((await lane.pump()) > 0);
    const { user, system } = process.cpuUsage(before);
    if (second >= WARM_SECONDS) cpuUs += user + system;
  }
  return cpuUs / (SECONDS * REQUESTS_PER_SECOND * SPANS);
}
