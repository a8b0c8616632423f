import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_TIMEOUT_MS = 20_000;

/** Flyball as a user starts it: `flyball start --no-demo`, on ports of its own. */
export class FlyballProcess {
  readonly dir: string;
  readonly #child: ChildProcess;
  #stderr = '';

  private constructor(dir: string, child: ChildProcess) {
    this.dir = dir;
    this.#child = child;
    child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
  }

  /**
   * Starts it and waits until it is there.
   *
   * @param bin - path of `flyball`.
   * @param env - settings, e.g. `FLYBALL_AGGREGATOR_WINDOW_MS`.
   * @param dir - data directory; default a new one.
   */
  static async start(
    bin: string,
    env: Readonly<Record<string, string>> = {},
    dir = mkdtempSync(join(tmpdir(), 'flyball-e2e-')),
  ): Promise<FlyballProcess> {
    rmSync(join(dir, 'addresses.json'), { force: true });
    const ports = { FLYBALL_API_PORT: '0', FLYBALL_INGEST_GRPC_PORT: '0', FLYBALL_INGEST_HTTP_PORT: '0' };
    const home = { HOME: dir };
    const child = spawn(bin, ['start', '--no-demo', '--data', dir], {
      env: { ...process.env, ...ports, ...home, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const flyball = new FlyballProcess(dir, child);
    const endMs = performance.now() + START_TIMEOUT_MS;
    while (!existsSync(join(dir, 'addresses.json')) && performance.now() < endMs && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return flyball;
  }

  get addresses(): { api: string; otlpGrpc: string; otlpHttp: string; actuator: string } {
    return JSON.parse(readFileSync(join(this.dir, 'addresses.json'), 'utf8')) as never;
  }

  get token(): string {
    return readFileSync(join(this.dir, 'token'), 'utf8').trim();
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Asks the API. */
  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.addresses.api}${path}`, {
      headers: { authorization: `Bearer ${this.token}` },
    });
    return (await response.json()) as T;
  }

  /** Its exit code, when it has ended; `null` when a signal has ended it. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    return new Promise((resolve) => this.#child.once('exit', resolve));
  }

  /** Stops it as Ctrl-C does, deletes its data, and returns its exit code. */
  async stop(): Promise<number | null> {
    const code = await this.halt();
    rmSync(this.dir, { recursive: true, force: true });
    return code;
  }

  /** Stops it as Ctrl-C does, and returns its exit code. */
  async halt(): Promise<number | null> {
    if (this.#child.exitCode === null) this.#child.kill('SIGINT');
    return this.ended();
  }
  /** kill -9: nothing under way is finished, and nothing is saved. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended();
  }
}
