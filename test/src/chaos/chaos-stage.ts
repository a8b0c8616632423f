import { openShop, until } from '@flyball/cli';
import { Prng } from '@flyball/core';
import { KafkaLog } from '@flyball/log-kafka';
import { HttpFaults, type LinkFault } from '@flyball/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { LinkName } from '../cluster/cluster-links.ts';
import type { Cluster, ClusterOptions, Service } from '../cluster/cluster.ts';
import { ClusterStage } from '../cluster/cluster-stage.ts';
import { allLanes, fleetProblems, processReport, type ProcessReport } from './check-fleet.ts';
import { Findings } from './findings.ts';
import { Receiver } from '../notifier/receiver.ts';
import type { Scenario } from './scenario.ts';
import { Sender } from './sender.ts';

export const LANES = 4;
/** Environment of the sender. The demo's policies hold in it, so that a false alarm could become a command. */
export const SENDER_ENVIRONMENT = 'demo-chaos';
const HEAL_MS = 90_000;
/** As in production: with the demo's, two errors by chance just before a bad release are enough to call it innocent. */
const VETO_TOLERANCE_MS = 20_000;

/** How a stage is set up. */
export interface StageOptions {
  readonly dir: string;
  readonly seed: number;
  readonly onNote: (text: string) => void;
}

/** A deployment that is being hurt: the cluster, who sends to it, dice, and what was found. */
export class ChaosStage {
  readonly flyball: ClusterStage;
  readonly sender: Sender;
  readonly dice: Prng;
  readonly findings = new Findings();
  /** The harness's own eyes on the log. */
  readonly log: KafkaLog;
  readonly shops: readonly string[];
  /** Stands before the object store, where the scenario wants it. */
  readonly objectFaults: HttpFaults | undefined;
  /** Is told of incidents, where the scenario wants it. */
  readonly receiver: Receiver | undefined;
  /** Tells what is being done, with the time since the stage stood. */
  readonly tell: (text: string) => void;

  private constructor(
    flyball: ClusterStage,
    { log, objectFaults, receiver }: Pick<ChaosStage, 'log' | 'objectFaults' | 'receiver'>,
    scenario: Scenario,
    options: StageOptions,
  ) {
    const { shops = [], spansPerSecond = shops.length > 0 ? 100 : 300 } = scenario;
    const { seed, onNote } = options;
    this.flyball = flyball;
    this.log = log;
    this.objectFaults = objectFaults;
    this.receiver = receiver;
    this.shops = shops;
    this.dice = new Prng(seed);
    const { resends = false } = scenario;
    this.sender = new Sender({ ...flyball.addresses, environment: SENDER_ENVIRONMENT, seed, spansPerSecond, resends });
    const fromMs = performance.now();
    this.tell = (text) => onNote(`t+${((performance.now() - fromMs) / 1_000).toFixed(1)} ${text}`);
  }

  /** Starts everything, and says the word that nobody has said yet: automation may act. */
  static async open(scenario: Scenario, options: StageOptions): Promise<ChaosStage> {
    const { dir } = options;
    const { settings = {}, ...cluster } = scenario.cluster ?? {};
    const planner = { vetoToleranceMs: VETO_TOLERANCE_MS, ...settings['planner'] };
    const objectFaults: HttpFaults[] = [];
    const objectsVia = async (url: string): Promise<string> => {
      if (scenario.hasObjectFaults !== true) return url;
      const via = new URL(url);
      const faults = await HttpFaults.start(via.searchParams.get('endpoint')!);
      objectFaults.push(faults);
      via.searchParams.set('endpoint', faults.url);
      return via.href;
    };
    const receiver = scenario.isTold === true ? await Receiver.open() : undefined;
    const shape = {
      ...(receiver !== undefined && tellOf(receiver, dir)),
      dir,
      lanes: LANES,
      rawPartitions: LANES,
      ...cluster,
      settings: { ...settings, planner },
      objectsVia,
    };
    let flyball: ClusterStage | undefined;
    try {
      flyball = await ClusterStage.open(shape);
      const log = await KafkaLog.open({ url: flyball.cluster.kafka.url });
      const stage = new ChaosStage(flyball, { log, objectFaults: objectFaults[0], receiver }, scenario, options);
      await flyball.client.request('DELETE', '/v1/killswitch');
      for (const [index, shop] of stage.shops.entries()) await openShop(flyball, shop, options.seed * 10 + index);
      return stage;
    } catch (error) {
      await flyball?.close();
      await objectFaults[0]?.stop();
      await receiver?.close();
      throw error;
    }
  }

  get cluster(): Cluster {
    return this.flyball.cluster;
  }

  /** Lets a seeded time pass, ms. */
  async pass(fromMs: number, untilMs: number): Promise<void> {
    await pause(fromMs + this.dice.below(untilMs - fromMs));
  }

  /** All items, in a seeded order. */
  shuffled<T>(items: readonly T[]): readonly T[] {
    const lots = items.map((item) => ({ item, lot: this.dice.next() }));
    return lots.sort((a, b) => a.lot - b.lot).map(({ item }) => item);
  }

  /** The way of a process to a server is at fault while something is done. */
  async during(name: LinkName, fault: LinkFault, work: () => Promise<void>): Promise<void> {
    const link = this.cluster.link(name);
    link.set(fault);
    this.tell(`${name}: ${fault}`);
    try {
      await work();
    } finally {
      link.set('pass');
      this.tell(`${name}: pass`);
    }
  }

  /** kill -9 of a service's first process; it is back after a seeded time. */
  async killAndRestart(service: Service, awayMs: readonly [number, number] = [0, 1_500]): Promise<void> {
    const name = `${service}-1`;
    await this.cluster.services.kill(name);
    this.tell(`kill -9 ${name}`);
    await this.pass(...awayMs);
    await this.cluster.services.restart(name);
    this.tell(`${name} is back`);
  }

  /** What every process says of itself. */
  reports(): Promise<readonly ProcessReport[]> {
    const { services } = this.cluster;
    return Promise.all(services.names.map((name) => processReport(name, services.hello(name).health)));
  }

  /** Waits until every lane runs without lag. Returns what still does not. */
  async healed(): Promise<{ problems: readonly string[]; tookMs: number }> {
    const fromMs = performance.now();
    let problems: readonly string[] = [];
    await until(HEAL_MS, async () => {
      problems = fleetProblems(await this.reports(), allLanes(LANES, LANES));
      return problems.length === 0;
    });
    return { problems, tookMs: performance.now() - fromMs };
  }

  /** Whoever sends stops; what they sent is answered. */
  async quiet(): Promise<void> {
    for (const shop of this.shops) await this.flyball.twin('POST', `/shops/${shop}/darkness`, { isDark: true });
    await this.sender.stop();
  }

  async close(): Promise<void> {
    this.sender.close();
    await this.log.close();
    await this.flyball.close();
    await this.objectFaults?.stop();
    await this.receiver?.close();
  }
}

/** Has a cluster tell somebody of incidents, by a signed webhook. */
function tellOf({ url }: Receiver, dir: string): Pick<ClusterOptions, 'connectionsFile' | 'secrets'> {
  const connectionsFile = join(dir, 'connections.yaml');
  writeFileSync(
    connectionsFile,
    `connections:\n  - { name: tickets, kind: webhook, url: '${url}', allowPrivate: true }\n`,
  );
  return { connectionsFile, secrets: { FLYBALL_WEBHOOK_TICKETS_SECRET: 'a secret of the tickets' } };
}
