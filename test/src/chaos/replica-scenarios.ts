import { until } from '@flyball/cli';
import { globSync, rmSync, statSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ChaosStage, LANES } from './chaos-stage.ts';
import { awaitMoment, deployBad, learned } from './release.ts';
import { Replicas } from './replicas.ts';
import type { Scenario } from './scenario.ts';

const SHOP = 'demo-one';
const NODES = [1, 2, 3];
const IN_SYNC_MS = 60_000;
const BURST_REQUESTS = 40;

/** Hurts one node after another, each when all copies are whole again: more at once is more than three copies promise. */
async function oneByOne(
  stage: ChaosStage,
  nodes: readonly number[],
  hurt: (node: number) => Promise<void>,
): Promise<void> {
  const replicas = await Replicas.open(stage.cluster.kafka.url);
  for (const node of nodes) {
    await stage.pass(500, 3_000);
    await hurt(node);
    let behind: readonly string[] = [];
    const isWhole = await until(IN_SYNC_MS, async () => {
      behind = await replicas.behind().catch(() => ['no answer']);
      return behind.length === 0;
    });
    stage.findings.expect(isWhole, `after node ${node} copies are not in sync: ${behind.join(' ')}`);
    stage.tell(`node ${node} is back, all copies are in sync`);
  }
  await replicas.close();
}

/** Cuts what a node had not synced off the newest segments of its partitions. Returns how many bytes. */
function loseTails({ dice }: ChaosStage, dataDir: string): number {
  const newest = new Map(
    globSync(join(dataDir, '*-*', '*.log'))
      .filter((file) => !file.includes('__cluster_metadata'))
      .sort()
      .map((file) => [dirname(file), file]),
  );
  let lost = 0;
  for (const file of newest.values()) {
    const { size } = statSync(file);
    // Some were synced to their end, some not at all.
    const left = dice.chance(0.3) ? size : dice.below(size + 1);
    truncateSync(file, left);
    lost += size - left;
  }
  rmSync(join(dataDir, '.kafka_cleanshutdown'), { force: true });
  return lost;
}

/** Three brokers, three copies of every record, of which two must be there before it counts. */
export const REPLICA_SCENARIOS: readonly Scenario[] = [
  {
    name: 'brokers-kill',
    title: 'kill -9 of every one of three brokers in turn, so of the controller too, with a bad release: one command',
    cluster: { brokers: 3 },
    shops: [SHOP],
    commands: 1,
    run: async (stage) => {
      const { kafka } = stage.cluster;
      await learned(stage);
      await deployBad(stage, SHOP);
      await oneByOne(stage, stage.shuffled(NODES), async (node) => {
        stage.sender.burst(BURST_REQUESTS);
        await stage.pass(1, 40);
        await kafka.node(node).kill();
        stage.tell(`kill -9 of node ${node}`);
        await stage.pass(0, 5_000);
        await kafka.startNode(node);
      });
      await awaitMoment(stage, SHOP, 'outcome');
    },
  },
  {
    name: 'brokers-rolling',
    title: 'a clean restart of all three brokers, one after another: nothing is lost, and nobody is refused',
    cluster: { brokers: 3 },
    run: async (stage) => {
      const { kafka } = stage.cluster;
      await oneByOne(stage, stage.shuffled(NODES), async (node) => {
        await kafka.node(node).stop(60_000);
        stage.tell(`node ${node} is stopped`);
        await stage.pass(0, 3_000);
        await kafka.startNode(node);
      });
      const refused = [...stage.sender.ledger.names].filter(([name]) => name.startsWith('refused INGEST_'));
      stage.findings.none(
        refused.map(([name, count]) => `${count}x ${name}`),
        'kinds of refusals, though leaders moved before they stopped',
      );
    },
  },
  {
    name: 'brokers-partition',
    title: 'SIGSTOP of the leader of a raw partition until it is deposed, then SIGCONT: a zombie leader',
    cluster: { brokers: 3 },
    run: async (stage) => {
      const { kafka } = stage.cluster;
      for (let time = 0; time < 2; time += 1) {
        const partition = stage.dice.below(LANES);
        const replicas = await Replicas.open(kafka.url);
        const leader = await replicas.leaderOf('otlp_spans', partition);
        await oneByOne(stage, [leader], async () => {
          stage.sender.burst(BURST_REQUESTS);
          await stage.pass(1, 40);
          kafka.node(leader).signal('SIGSTOP');
          stage.tell(`node ${leader}, which leads otlp_spans/${partition}, is frozen`);
          await stage.pass(8_000, 18_000);
          const next = await replicas.leaderOf('otlp_spans', partition);
          kafka.node(leader).signal('SIGCONT');
          const isDeposed = next !== leader && next > 0;
          stage.findings.expect(isDeposed, `otlp_spans/${partition} is led by node ${next} while ${leader} is frozen`);
        });
        await replicas.close();
      }
    },
  },
  {
    name: 'brokers-lose-tail',
    title:
      'a power cut of one of three brokers, which loses what it had not synced, three times: nothing acked is lost',
    cluster: { brokers: 3 },
    run: async (stage) => {
      const { kafka } = stage.cluster;
      let lost = 0;
      await oneByOne(stage, stage.shuffled(NODES), async (node) => {
        stage.sender.burst(BURST_REQUESTS);
        await stage.pass(1, 40);
        await kafka.node(node).kill();
        const bytes = loseTails(stage, kafka.dataDir(node));
        lost += bytes;
        stage.tell(`node ${node} is gone, and ${bytes} bytes that it had not synced`);
        await stage.pass(0, 3_000);
        await kafka.startNode(node);
      });
      stage.findings.expect(lost > 0, 'no byte was lost: nothing was tested');
      stage.findings.note('bytes lost', lost);
    },
  },
];
