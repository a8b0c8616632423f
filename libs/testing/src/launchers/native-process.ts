import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const POLL_MS = 50;

/** Where jars and binaries are kept between runs. */
export const CACHE = process.env['FLYBALL_CACHE'] ?? join(homedir(), '.cache', 'flyball');

/** How a server is started. */
export interface NativeOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** File that takes what it prints; its folder is created. */
  readonly logFile: string;
  /** Whether it takes requests; asked again and again. `log` is what it has printed so far. */
  readonly isReady: (log: string) => boolean | Promise<boolean>;
  readonly timeoutMs: number;
}

/** A server as a child process. It is stopped by its own process id, never by name. */
export class NativeProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
  }

  /** Starts it and waits until it is ready. @throws with the end of its log when it is not. */
  static async start(options: NativeOptions): Promise<NativeProcess> {
    const { command, args, env = {}, logFile, isReady, timeoutMs } = options;
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, 'w');
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    let failure = '';
    child.once('error', (error) => (failure = error.message));
    const started = new NativeProcess(child);
    const endMs = performance.now() + timeoutMs;
    while (performance.now() < endMs && child.exitCode === null && failure === '') {
      if (await isReady(readFileSync(logFile, 'utf8'))) return started;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    await started.kill();
    throw new Error(`${command} did not start: ${failure} ${readFileSync(logFile, 'utf8').slice(-2_000)}`);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined;
  }

  /** Sends a signal, such as `SIGSTOP`. */
  signal(name: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(name);
  }

  /** kill -9, and waits until it is gone. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Asks it to stop; kills it when it has not after `graceMs`. */
  async stop(graceMs = 10_000): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }
}

/** Whether a command is on the PATH. */
export function hasCommand(command: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, command)));
}
