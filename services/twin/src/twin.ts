import type { Order, OrderAnswer, ReleaseOrder } from './orders.ts';
import type { Rollout } from './rollouts.ts';
import { Shop, type VersionFault } from './shop.ts';
import type { Telemetry } from './telemetry.ts';

/** How often simulated time moves, ms. */
const STEP_MS = 100;

/** A deploy as the twin tells it to whoever wants to know. */
export interface DeployEvent {
  readonly environment: string;
  readonly service: string;
  readonly version: string;
}

/** What a twin needs. */
export interface TwinOptions {
  readonly telemetry: Telemetry;
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
  openShop(environment: string, seed: number): { environment: string } {
    if (!this.#shops.has(environment)) {
      this.#shops.set(environment, new Shop(environment, seed, this.#options.requestsPerSecond));
    }
    return { environment };
  }

  shop(environment: string): Shop | undefined {
    return this.#shops.get(environment);
  }

  /** Brings a version out as a canary, with the faults that it has, and tells of it. */
  async deploy(environment: string, { service, version, ...fault }: VersionFault): Promise<Rollout | undefined> {
    const shop = this.#shops.get(environment)!;
    shop.addFault({ service, version, ...fault });
    const rollout = shop.rollouts.deploy(service, version, Date.now());
    await this.#options.onDeploy({ environment, service, version });
    return rollout;
  }

  addFault(environment: string, fault: VersionFault): VersionFault {
    this.#shops.get(environment)!.addFault(fault);
    return fault;
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
      if (!shop.isDark) this.#options.telemetry.add(shop.environment, spans);
    }
    this.#lastMs = nowMs;
    void this.#options.telemetry.flush();
  }
}
