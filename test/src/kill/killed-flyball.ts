import { ApiClient, until } from '@flyball/cli';
import { FlyballProcess } from '@flyball/testing';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../../node_modules/.bin/flyball', import.meta.url));
const POLICIES = fileURLToPath(new URL('./policies', import.meta.url));
const WAIT_MS = 30_000;
const POLL_MS = 10;

/** Sizes of windows, ms: a story fits half a minute. */
export const SIZES = { windowMs: 1_000, graceMs: 500 };
/** Secret of the connection that commands act on. */
export const DEPLOYER_SECRET = 'a secret of the deployer';

const SETTINGS = {
  FLYBALL_AGGREGATOR_WINDOW_MS: String(SIZES.windowMs),
  FLYBALL_AGGREGATOR_GRACE_MS: String(SIZES.graceMs),
  FLYBALL_AGGREGATOR_SETTLE_MS: '1000',
  FLYBALL_DETECTOR_WARMUP_WINDOWS: '6',
  FLYBALL_DETECTOR_RECOVER_WINDOWS: '2',
  FLYBALL_PLANNER_RECOVER_WINDOWS: '2',
  FLYBALL_ACTUATOR_ATTEMPT_DEADLINE_MS: '2000',
  FLYBALL_ACTUATOR_CLAIM_GRACE_MS: '500',
  FLYBALL_ACTUATOR_UNDO_RETRY_MS: '500',
  FLYBALL_STANDALONE_POLICIES_DIR: POLICIES,
  FLYBALL_WEBHOOK_DEPLOYER_SECRET: DEPLOYER_SECRET,
  FLYBALL_WEBHOOK_TICKETS_SECRET: 'a secret of the tickets',
};

/** `flyball start --no-demo` over one data directory, through all its lives. */
export class KilledFlyball {
  readonly dir = mkdtempSync(join(tmpdir(), 'flyball-kill-'));
  readonly #env: Readonly<Record<string, string>>;
  /** Told of where OTLP is taken, at every start. */
  readonly #onStarted: (otlpHttp: string) => void;
  #process: FlyballProcess | undefined;
  lives = 0;

  /** @param urls - where commands act, and who is told of incidents. */
  constructor(urls: { readonly deployer: string; readonly tickets: string }, onStarted: (otlpHttp: string) => void) {
    const connections = [
      'connections:',
      `  - { name: deployer, kind: target, url: '${urls.deployer}', allowPrivate: true, fencing: generation }`,
      `  - { name: tickets, kind: webhook, url: '${urls.tickets}', allowPrivate: true }`,
    ];
    const file = join(this.dir, 'connections.yaml');
    writeFileSync(file, connections.join('\n'));
    this.#env = { ...SETTINGS, FLYBALL_STANDALONE_CONNECTIONS_FILE: file };
    this.#onStarted = onStarted;
  }

  async start(): Promise<void> {
    this.#process = await FlyballProcess.start(BIN, this.#env, this.dir);
    const { stderr } = this.#process;
    if (!existsSync(join(this.dir, 'addresses.json'))) throw new Error(`it did not start; standard error:\n${stderr}`);
    this.lives += 1;
    this.#onStarted(this.#process.addresses.otlpHttp);
  }

  get stderr(): string {
    return this.#process?.stderr ?? '';
  }

  get client(): ApiClient {
    return new ApiClient(this.#process!.addresses.api, this.#process!.token);
  }

  kill(): Promise<void> {
    return this.#process!.kill();
  }

  /** Asks it to stop. Returns its exit code. */
  async halt(): Promise<number | null> {
    return (await this.#process?.halt()) ?? null;
  }

  /** Waits for something of the API that need not be there yet. @throws when it does not come. */
  async find<T>(what: string, ask: (client: ApiClient) => Promise<T | undefined>): Promise<T> {
    let found: T | undefined;
    await until(
      WAIT_MS,
      async () => {
        found = await ask(this.client).catch(() => undefined);
        return found !== undefined;
      },
      POLL_MS,
    );
    if (found === undefined) throw new Error(`${what} did not come; standard error:\n${this.stderr}`);
    return found;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
