import type { Addresses, Overrides } from '@flyball/standalone';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiClient } from '../api-client.ts';
import { type Child, freePorts, startChild, stopChild } from '@flyball/host';

/** Settings of the demo, however Flyball runs: small windows, so that a story fits a minute. Printed at its top. */
export const DEMO: Overrides = {
  aggregator: { windowMs: 2_000, graceMs: 1_000, settleMs: 2_000 },
  detector: { warmupWindows: 6 },
  planner: { vetoToleranceMs: 5_000 },
  actuator: { attemptDeadlineMs: 4_000, claimGraceMs: 1_000, rampStepMs: 1_000, undoRetryMs: 1_000 },
};

interface Hello {
  readonly addresses: Addresses;
  readonly token: string;
}

const mainOf = (project: string) => fileURLToPath(new URL('./main.ts', import.meta.resolve(project)));
/** Policies of the demo. */
export const POLICIES = fileURLToPath(new URL('../policies', import.meta.resolve('@flyball/planner')));

/** What a story is told on: a Flyball, whatever it is made of, and the shop that it governs, which outlives it. */
export interface Stage {
  readonly addresses: Pick<Addresses, 'api' | 'otlpGrpc' | 'otlpHttp'>;
  readonly client: ApiClient;
  /** Folder that holds the signed audit. */
  readonly auditedDir: string;
  /** What runs, for the line below the addresses. */
  readonly description: string;
  /** Talks to the shop. */
  twin<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T>;
  /** kill -9 of the whole of Flyball. */
  kill(): Promise<void>;
  /** Starts Flyball again on the same data and ports. */
  restart(): Promise<void>;
  /** What Flyball itself costs: base URLs of `/metrics` of its processes, and folders that it has filled. */
  cost(): { readonly metrics: readonly string[]; readonly dirs: readonly string[] };
  /** Stops everything. */
  close(): Promise<void>;
}

/** Starts the shop as a process, on a port of its own. */
export async function startTwin(
  port: number,
  { otlpGrpc, api, token }: { readonly otlpGrpc: string; readonly api: string; readonly token: string },
): Promise<Child<{ port: number }>> {
  const env = {
    FLYBALL_TWIN_PORT: String(port),
    FLYBALL_TWIN_OTLP: otlpGrpc,
    FLYBALL_TWIN_API: api,
    FLYBALL_TWIN_TOKEN: token,
  };
  return startChild<{ port: number }>(mainOf('@flyball/twin'), [], { env });
}

/** Talks to the shop on a port. */
export async function askTwin<T>(port: number, method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(5_000),
  });
  return (await response.json()) as T;
}

/** The two processes of the demo on one machine. */
export class DemoStage implements Stage {
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
  static async open(dir: string): Promise<DemoStage> {
    const twinPort = await freePorts(1);
    const flyball = await startFlyball(dir, twinPort, undefined);
    const { addresses, token } = flyball.hello;
    const twin = await startTwin(twinPort, { ...addresses, token }).catch(async (error: unknown) => {
      await stopChild(flyball.process);
      throw error;
    });
    return new DemoStage(dir, twinPort, flyball, twin.process);
  }

  get addresses(): Addresses {
    return this.#flyball.hello.addresses;
  }

  get client(): ApiClient {
    return new ApiClient(this.addresses.api, this.token);
  }

  /** Token of the API. */
  get token(): string {
    return this.#flyball.hello.token;
  }

  get auditedDir(): string {
    return join(this.dir, 'data');
  }

  get description(): string {
    return `embedded log and objects in ${this.dir} (wiped at the end, keep with --keep)`;
  }

  cost(): { readonly metrics: readonly string[]; readonly dirs: readonly string[] } {
    return { metrics: [this.addresses.api], dirs: [this.dir] };
  }

  twin<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    return askTwin(this.#twinPort, method, path, body);
  }

  async kill(): Promise<void> {
    const exited = once(this.#flyball.process, 'exit');
    this.#flyball.process.kill('SIGKILL');
    await exited;
  }

  async restart(): Promise<void> {
    this.#flyball = await startFlyball(this.dir, this.#twinPort, this.addresses);
  }

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
      console: 'start',
      logLevel: 'error',
    },
    api: portOf(at?.api),
    ...(at !== undefined && { ingest: { grpcPort: portOf(at.otlpGrpc).port, httpPort: portOf(at.otlpHttp).port } }),
  };
  return startChild<Hello>(mainOf('@flyball/standalone'), [JSON.stringify(overrides), '--with-parent']);
}
