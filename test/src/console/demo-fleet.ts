import { DemoStage, openShop, until } from '@flyball/cli';
import type { Incident } from '@flyball/contracts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sendStrangeNames, STRANGE } from './strange-names.ts';

const LEARNED_MS = 90_000;
const STORY_MS = 90_000;
const EVERY_MS = 1_000;

/** Flyball as one process, with a fleet in which something of everything has happened, for who looks at the console. */
export class DemoFleet {
  readonly stage: DemoStage;
  readonly #dir: string;
  readonly #strange: NodeJS.Timeout;

  private constructor(stage: DemoStage, dir: string) {
    this.stage = stage;
    this.#dir = dir;
    const { otlpHttp } = stage.addresses;
    // One that is not taken is sent again a second later anyway.
    this.#strange = setInterval(() => void sendStrangeNames(otlpHttp).catch(() => undefined), EVERY_MS);
  }

  /** Starts it, and two shops; strange names come from the beginning. */
  static async open(): Promise<DemoFleet> {
    const dir = mkdtempSync(join(tmpdir(), 'flyball-console-'));
    const fleet = new DemoFleet(await DemoStage.open(dir), dir);
    const { client } = fleet.stage;
    await client.request('DELETE', '/v1/killswitch', { reason: 'the shops are open' });
    await openShop(fleet.stage, 'demo', 1);
    await openShop(fleet.stage, 'careful', 2);
    return fleet;
  }

  /** Waits until a release was rolled back in one shop, and one waits for a person in the other. */
  async play(): Promise<void> {
    const { client } = this.stage;
    const learned = async () => {
      const services = (await client.services()).filter(({ environment }) => environment !== STRANGE.environment);
      return services.length >= 12 && services.every(({ state }) => state === 'ok' || state === 'failing');
    };
    await this.#must(LEARNED_MS, learned, 'normal was not learned');
    await this.#deploy('demo', 0.18);
    const isOver = async () => (await this.incident('demo'))?.status === 'closed';
    await this.#must(STORY_MS, isOver, 'the bad release was not dealt with');
    await this.#deploy('careful', 0.3);
    const isAsked = async () =>
      (await this.incident('careful'))?.decisions.some(({ verdict }) => verdict === 'pending') ?? false;
    await this.#must(STORY_MS, isAsked, 'nobody was asked');
  }

  /** The newest incident of an environment. */
  async incident(environment: string): Promise<Incident | undefined> {
    return (await this.stage.client.incidents()).find((incident) => incident.environment === environment);
  }

  async close(): Promise<void> {
    clearInterval(this.#strange);
    await this.stage.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #deploy(environment: string, errorRatio: number): Promise<void> {
    const release = { service: 'checkout', version: 'v2', errorRatio };
    await this.stage.twin('POST', `/shops/${environment}/deploy`, release);
  }

  async #must(withinMs: number, isSo: () => Promise<boolean>, otherwise: string): Promise<void> {
    if (!(await until(withinMs, isSo))) throw new Error(otherwise);
  }
}
