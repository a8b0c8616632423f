import type { Order, OrderAnswer, ReleaseOrder } from './orders.ts';
import type { Rollout } from './rollouts.ts';
import type { VersionFault } from './faults.ts';
import { Shop } from './shop.ts';
import type { SideSignals } from './side-signals.ts';
import type { Telemetry } from './telemetry.ts';

/** How often simulated time moves, ms. */
const STEP_MS = 100;

/** A deploy as the twin tells it to whoever wants to know. */
export interface DeployEvent {
  readonly environment: string;
  readonly service: string;
  readonly version: string;
}

/** A release, and what is wrong with it. */
export interface Deploy extends VersionFault {
  /** Share of traffic that it gets, above 0, to 1. */
  readonly canaryRatio?: number | undefined;
}

/** What a twin needs. */
export interface TwinOptions {
  readonly telemetry: Telemetry;
  readonly sideSignals: SideSignals;
  readonly requestsPerSecond: number;
  /** How long a rollback takes to be carried out, ms: traffic has to be moved. */
  readonly rollbackMs: number;
  /** Told of every deploy, as a delivery system would tell it. */
  readonly onDeploy: (event: DeployEvent) => Promise<void>;
}

/** The simulated fleet: shops that serve requests in real time, send real OTLP, and obey orders. */
export class Twin {
  readonly #options: TwinOptions;
  readonly #shops = new Map<string, Shop>();
  #timer: NodeJS.Timeout | undefined;
  #lastMs = 0;

  constructor(options: TwinOptions) {
    this.#options = options;
  }

  /** Lets time run. */
  start(): void {
    this.#lastMs = Date.now();
    this.#timer = setInterval(() => this.#step(), STEP_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Opens a shop in an environment of its own. */
  openShop(environment: string, seed: number, requestsPerSecond = this.#options.requestsPerSecond): object {
    if (!this.#shops.has(environment)) this.#shops.set(environment, new Shop(environment, seed, requestsPerSecond));
    return { environment };
  }

  shop(environment: string): Shop | undefined {
    return this.#shops.get(environment);
  }

  /** Brings a version out as a canary, with the faults that it has, and tells of it. */
  async deploy(environment: string, { canaryRatio, ...fault }: Deploy): Promise<Rollout | undefined> {
    const { service, version } = fault;
    const shop = this.#shops.get(environment)!;
    shop.faults.add(fault);
    const rollout = shop.rollouts.deploy(service, version, Date.now(), canaryRatio);
    await this.#options.onDeploy({ environment, service, version });
    return rollout;
  }

  /** Carries out an order, also when whoever gave it does not wait for the answer. */
  async obey(environment: string, name: string, order: Order): Promise<OrderAnswer> {
    const answer = this.#shops.get(environment)!.rollouts.obey(name, order, Date.now())!;
    if (order.verb === 'rollback') await new Promise((resolve) => setTimeout(resolve, this.#options.rollbackMs));
    return answer;
  }

  /** Takes back what a command has set. */
  async release(environment: string, name: string, order: ReleaseOrder): Promise<OrderAnswer> {
    return this.#shops.get(environment)!.rollouts.release(name, order, Date.now())!;
  }

  #step(): void {
    const nowMs = Date.now();
    for (const shop of this.#shops.values()) {
      const spans = shop.requests(nowMs, nowMs - this.#lastMs);
      if (shop.isDark) continue;
      this.#options.telemetry.add(shop.environment, spans);
      this.#options.sideSignals.add(shop.environment, shop.instances(nowMs), spans, nowMs);
    }
    this.#lastMs = nowMs;
    void this.#options.telemetry.flush();
  }
}
