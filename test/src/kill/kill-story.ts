import type { ApprovalView } from '@flyball/api';
import { Prng } from '@flyball/core';
import { setTimeout as pause } from 'node:timers/promises';
import { WebhookReceiver } from '../conformance/webhook-receiver.ts';
import { Receiver } from '../notifier/receiver.ts';
import { DEPLOYER_SECRET, KilledFlyball, SIZES } from './killed-flyball.ts';
import { Traffic } from '../chaos/traffic.ts';

/** The service that is asked first, by environment: who waits for a yes, who does not wait for long, and who is overloaded. */
const ENTRIES = { careful: 'checkout', hasty: 'checkout', busy: 'web' };
/** As long as the throttle of `policies` lasts, ms. */
const THROTTLE_MS = 5_000;
/** Whatever was sent is in a closed window by then, ms. */
const CLOSED_MS = 2 * SIZES.windowMs + SIZES.graceMs + 1_000;

const [BURST_STEPS, BURST_MS] = [5, 60];
/** Of a story on a busy machine, ms; 40 s of a quiet one. What it waits for has bounds of its own. */
export const STORY_MS = 240_000;

/** What came of a story. */
export interface KillStory {
  readonly dir: string;
  readonly lives: number;
  readonly exitCode: number | null;
  readonly traffic: Traffic;
  readonly deployer: WebhookReceiver;
  readonly tickets: Receiver;
  /** What was asked, before and after the death of whoever asked. */
  readonly asked: { readonly before: ApprovalView; readonly after: ApprovalView };
  /** What the answer to a question was whose time ended while nobody was there. */
  readonly lateAnswer: string;
  /** When traffic ended, ms since the Unix epoch. */
  readonly endedMs: number;
}

/** Lives through two releases that fail and an overload, and dies again and again at seeded moments. */
export class KillStoryTeller {
  readonly traffic: Traffic;
  readonly flyball: KilledFlyball;
  readonly deployer: WebhookReceiver;
  readonly tickets: Receiver;
  readonly #dice: Prng;
  /** What was begun, and how long after the first of it, ms. */
  readonly #begun: string[] = [];
  readonly #startMs = performance.now();

  private constructor(seed: number, deployer: WebhookReceiver, tickets: Receiver) {
    this.#dice = new Prng(seed);
    this.traffic = new Traffic(ENTRIES, seed);
    [this.deployer, this.tickets] = [deployer, tickets];
    const urls = { deployer: `http://127.0.0.1:${deployer.port}`, tickets: tickets.url };
    this.flyball = new KilledFlyball(urls, (otlpHttp) => (this.traffic.url = otlpHttp));
  }

  static async open(seed: number): Promise<KillStoryTeller> {
    return new KillStoryTeller(seed, await WebhookReceiver.open(DEPLOYER_SECRET), await Receiver.open());
  }

  /** @throws with how far it came, when it takes longer than `STORY_MS`. */
  async tell(): Promise<KillStory> {
    const over = new AbortController();
    const late = pause(STORY_MS, undefined, over).then(() => {
      throw new Error(`the story took too long: ${this.#begun.join(', ')}; standard error:\n${this.flyball.stderr}`);
    });
    return Promise.race([this.#tell(), late]).finally(() => over.abort());
  }

  async #tell(): Promise<KillStory> {
    const { flyball, traffic } = this;
    this.#begin('start');
    await flyball.start();
    await flyball.client.request('DELETE', '/v1/killswitch');
    traffic.start();
    await this.#dieWhileLearning();
    this.#begin('question');
    const asked = await this.#dieWhileAskedAndThrottled();
    this.#begin('late answer');
    const lateAnswer = await this.#answerLate(asked.hasty);
    this.#begin('yes');
    await this.#dieAfterYes(asked.after);
    this.#begin('recovery');
    const endedMs = await this.#recover();
    this.#begin('last stop');
    const exitCode = await flyball.halt();
    const { deployer, tickets } = this;
    return { dir: flyball.dir, lives: flyball.lives, exitCode, traffic, deployer, tickets, asked, lateAnswer, endedMs };
  }

  async close(): Promise<void> {
    await this.traffic.stop();
    await this.flyball.halt();
    await Promise.all([this.deployer.close(), this.tickets.close()]);
    this.flyball.remove();
  }

  #begin(what: string): void {
    this.#begun.push(`${what} at ${Math.round(performance.now() - this.#startMs)} ms`);
  }

  /** A stop saves every lane: later lives begin there, and the first ones at their birth. */
  async #dieWhileLearning(): Promise<void> {
    for (const end of ['kill', 'halt'] as const) {
      await pause(500 + this.#dice.below(2_000));
      await this.#burst();
      this.#begin(end);
      await this.flyball[end]();
      this.#begin('start');
      await this.flyball.start();
    }
    this.#begin('learning');
    await this.flyball.find('what is normal', async (client) => {
      const services = await client.services();
      return services.length === 6 && services.every(({ state }) => state === 'ok') ? services : undefined;
    });
  }

  /** It dies with two questions open and a throttle in force, and is away until one question and the throttle are over. */
  async #dieWhileAskedAndThrottled() {
    const { traffic, deployer, flyball } = this;
    const { rollouts } = deployer.shop;
    rollouts.deploy('checkout', 'v2', 0);
    for (const environment of ['careful', 'hasty']) traffic.loads[environment]!.hasBadRelease = true;
    Object.assign(traffic.loads['busy']!, { requests: 6, ownMs: 300 });
    const [before, hasty] = await Promise.all([this.#question('careful'), this.#question('hasty'), this.#throttled()]);
    await this.#burst();
    this.#begin('kill with questions');
    await flyball.kill();
    const untilMs = Math.max(hasty.expiresAtMs, Date.now() + THROTTLE_MS);
    if (Date.now() >= hasty.expiresAtMs) throw new Error('a question was over before anybody died');
    await pause(untilMs - Date.now() + 200);
    if (rollouts.read('web', 0)!.throttle === null) throw new Error('the throttle was gone before anybody died');
    await flyball.start();
    return { before, after: await this.#question('careful'), hasty };
  }

  /** Some of what is sent at once is answered when it dies, some is under way. */
  async #burst(): Promise<void> {
    this.traffic.burst(BURST_STEPS);
    await pause(this.#dice.below(BURST_MS));
  }

  #question(environment: string): Promise<ApprovalView> {
    return this.flyball.find(`a question in ${environment}`, async (client) => {
      const asked = await client.list<ApprovalView>('/v1/approvals');
      return asked.find((each) => each.environment === environment && each.status === 'pending');
    });
  }

  /** From then on the overload is over. */
  async #throttled(): Promise<void> {
    await this.flyball.find(
      'a throttle',
      async () => this.deployer.shop.rollouts.read('web', 0)!.throttle ?? undefined,
    );
    this.traffic.calm('busy');
  }

  async #answerLate({ commandId, digest }: ApprovalView): Promise<string> {
    const answer = { verdict: 'approve', digest };
    return this.flyball.find('an answer to a late yes', async (client) => {
      const asked = await client.list<ApprovalView>('/v1/approvals');
      if (!asked.some((each) => each.commandId === commandId)) return undefined;
      return client.request('POST', `/v1/approvals/${commandId}`, answer).then(
        () => 'taken',
        (error: unknown) => (error as Error).message,
      );
    });
  }

  /** It dies as soon as the yes is on record, and again when the rollback is done, and may not be on record. */
  async #dieAfterYes({ commandId, digest }: ApprovalView): Promise<void> {
    const { flyball, deployer, traffic } = this;
    await flyball.client.request('POST', `/v1/approvals/${commandId}`, { verdict: 'approve', digest });
    await flyball.kill();
    await flyball.start();
    const { rollouts } = deployer.shop;
    await flyball.find('the rollback', async () => (rollouts.read('checkout', 0)!.canary === null ? true : undefined));
    await pause(this.#dice.below(30));
    await flyball.kill();
    for (const environment of ['careful', 'hasty']) traffic.calm(environment);
    await flyball.start();
  }

  /** Waits until what was done is seen to have helped, and all that was sent is in closed windows. */
  async #recover(): Promise<number> {
    await this.flyball.find('the end of both incidents', async (client) => {
      const closed = (await client.incidents()).filter(({ status }) => status === 'closed');
      const isOver = ['careful', 'busy'].every((name) => closed.some(({ environment }) => environment === name));
      return isOver ? true : undefined;
    });
    await this.traffic.stop();
    const endedMs = Date.now();
    await pause(CLOSED_MS);
    return endedMs;
  }
}
