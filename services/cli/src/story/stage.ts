import type { Addresses, Overrides } from '@flyball/standalone';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiClient } from '../api-client.ts';
import { type Child, freePort, startChild, stopChild } from './children.ts';

/** Settings of the demo: small windows, so that a story fits a minute. Printed at its top. */
export const DEMO: Overrides = {
  aggregator: { windowMs: 2_000, graceMs: 1_000, settleMs: 2_000 },
  detector: { warmupWindows: 6 },
  planner: { vetoToleranceMs: 5_000 },
  actuator: { attemptDeadlineMs: 4_000, claimGraceMs: 1_000 },
};

interface Hello {
  readonly addresses: Addresses;
  readonly token: string;
}

const mainOf = (project: string) => fileURLToPath(new URL('./main.ts', import.meta.resolve(project)));
const POLICIES = fileURLToPath(new URL('../policies', import.meta.resolve('@flyball/planner')));

/** The two processes of the demo: Flyball, and the shop that it governs, which outlives it. */
export class Stage {
  readonly dir: string;
  readonly #twinPort: number;
  #flyball: Child<Hello>;
  readonly #twin: ChildProcess;

  private constructor(dir: string, twinPort: number, flyball: Child<Hello>, twin: ChildProcess) {
    this.dir = dir;
    this.#twinPort = twinPort;
    this.#flyball = flyball;
    this.#twin = twin;
  }

  /** Starts both. */
  static async open(dir: string): Promise<Stage> {
    const twinPort = await freePort();
    const flyball = await startFlyball(dir, twinPort, undefined);
    const { addresses, token } = flyball.hello;
    const twin = await startChild<{ port: number }>(mainOf('@flyball/twin'), [], {
      FLYBALL_TWIN_PORT: String(twinPort),
      FLYBALL_TWIN_OTLP: addresses.otlpGrpc,
      FLYBALL_TWIN_API: addresses.api,
      FLYBALL_TWIN_TOKEN: token,
    }).catch(async (error: unknown) => {
      await stopChild(flyball.process);
      throw error;
    });
    return new Stage(dir, twinPort, flyball, twin.process);
  }

  get addresses(): Addresses {
    return this.#flyball.hello.addresses;
  }

  get client(): ApiClient {
    return new ApiClient(this.addresses.api, this.#flyball.hello.token);
  }

  /** Talks to the shop. */
  async twin<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const init = {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    const response = await fetch(`http://127.0.0.1:${this.#twinPort}${path}`, {
      ...init,
      signal: AbortSignal.timeout(5_000),
    });
    return (await response.json()) as T;
  }

  /** kill -9 of the whole of Flyball. */
  async kill(): Promise<void> {
    const exited = once(this.#flyball.process, 'exit');
    this.#flyball.process.kill('SIGKILL');
    await exited;
  }

  /** Starts Flyball again on the same data and ports. */
  async restart(): Promise<void> {
    this.#flyball = await startFlyball(this.dir, this.#twinPort, this.addresses);
  }

  /** Stops both. */
  async close(): Promise<void> {
    await stopChild(this.#twin);
    await stopChild(this.#flyball.process);
  }
}

function startFlyball(dir: string, twinPort: number, at: Addresses | undefined): Promise<Child<Hello>> {
  const portOf = (url: string | undefined) => (url === undefined ? {} : { port: Number(new URL(url).port) });
  const overrides: Overrides = {
    ...DEMO,
    standalone: {
      dir: join(dir, 'data'),
      twinUrl: `http://127.0.0.1:${twinPort}`,
      policiesDir: POLICIES,
      takesFreePort: true,
      logLevel: 'error',
    },
    api: portOf(at?.api),
    ...(at !== undefined && { ingest: { grpcPort: portOf(at.otlpGrpc).port, httpPort: portOf(at.otlpHttp).port } }),
  };
  return startChild<Hello>(mainOf('@flyball/standalone'), [JSON.stringify(overrides), '--with-parent'], {});
}
