import { type Child, startChild, stopChild } from '@flyball/host';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** What a service says when it is there. */
export interface Hello {
  readonly service: string;
  readonly pid: number;
  /** Base URL of `/livez`, `/readyz` and `/metrics`. */
  readonly health: string;
  readonly api?: string;
  readonly otlpGrpc?: string;
  readonly otlpHttp?: string;
  readonly actuator?: string;
  readonly notifier?: string;
}

/** How one process of a service is started. */
export interface ProcessPlan {
  /** Name of this process: `aggregator-1`. */
  readonly name: string;
  /** Its service: `aggregator`. */
  readonly service: string;
  readonly args: readonly string[];
  /** What it finds in its environment beside what all find. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a process ended. */
export interface Ending {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const START_TIMEOUT_MS = 60_000;
/** A process that ended is started again after so long; twice as long each time that it had not lived for long. */
const REVIVE_MIN_MS = 200;
const REVIVE_MAX_MS = 10_000;
const LONG_MS = 10_000;

/** What becomes of processes beside being started. */
export interface ServiceOptions {
  /** Folder that takes what they print on standard error, a file per process. */
  readonly logDir: string;
  /**
   * Told of a process that ended though nobody here asked it to, once it was started again. Not given, it is left as it is.
   */
  readonly onRevived?: ((name: string, ending: Ending) => void) | undefined;
}

/** The services of a deployment, each a process of its own. */
export class ServiceProcesses {
  readonly #plans = new Map<string, ProcessPlan>();
  readonly #children = new Map<string, Child<Hello>>();
  readonly #env: Readonly<Record<string, string>>;
  readonly #options: ServiceOptions;
  /** Processes that were asked to end. */
  readonly #asked = new WeakSet<ChildProcess>();
  readonly #guards = new Set<Promise<void>>();
  readonly #reviveMs = new Map<string, number>();
  readonly #stopping = new AbortController();

  /** @param env - what all of them find in their environment: secrets. */
  constructor(env: Readonly<Record<string, string>>, options: ServiceOptions) {
    this.#env = env;
    this.#options = options;
  }

  /** Starts a process, and waits until it is there. */
  async start(plan: ProcessPlan): Promise<Hello> {
    const main = fileURLToPath(new URL('./main.ts', import.meta.resolve(`@flyball/${plan.service}`)));
    const child = await startChild<Hello>(main, plan.args, {
      env: { ...this.#env, ...plan.env },
      timeoutMs: START_TIMEOUT_MS,
    });
    this.#plans.set(plan.name, plan);
    this.#children.set(plan.name, child);
    child.process.stderr?.on('data', (chunk: Buffer) => this.#keep(plan.name, chunk));
    if (this.#options.onRevived !== undefined) {
      const guard = this.#guard(plan.name, child.process).finally(() => this.#guards.delete(guard));
      this.#guards.add(guard);
    }
    return child.hello;
  }

  /** Starts a process again, on the ports that it had. */
  restart(name: string): Promise<Hello> {
    return this.start(withPorts(this.#plans.get(name)!, this.#children.get(name)!.hello));
  }

  /** kill -9 of one process. */
  async kill(name: string): Promise<void> {
    const { process: child } = this.#children.get(name)!;
    this.#asked.add(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** kill -9 of one process by somebody else: who starts such ones again does. Returns whether it ran. */
  strike(name: string): boolean {
    return this.#children.get(name)!.process.kill('SIGKILL');
  }

  /** Resolves when a process has ended. */
  ended(name: string): Promise<Ending> {
    return endingOf(this.#children.get(name)!.process);
  }

  /** Sends a signal to one process. */
  signal(name: string, signal: NodeJS.Signals): void {
    const { process: child } = this.#children.get(name)!;
    if (ENDING.includes(signal)) this.#asked.add(child);
    child.kill(signal);
  }

  get names(): readonly string[] {
    return [...this.#plans.keys()];
  }

  hello(name: string): Hello {
    return this.#children.get(name)!.hello;
  }

  /** Asks all of them to stop, and waits until they are gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { process: child } of this.#children.values()) this.#asked.add(child);
    const stopAll = () => Promise.all([...this.#children.values()].map(({ process: child }) => stopChild(child)));
    await stopAll();
    // Whoever was just coming back is there by now.
    await Promise.all(this.#guards);
    await stopAll();
  }

  /** Puts what a process has said in its file. */
  #keep(name: string, text: Buffer | string): void {
    appendFileSync(join(this.#options.logDir, `${name}.log`), text);
  }

  /** Starts a process again when it has ended unasked, as `restart: unless-stopped` does. */
  async #guard(name: string, child: ChildProcess): Promise<void> {
    const startedAtMs = performance.now();
    const ending = await endingOf(child);
    const { signal } = this.#stopping;
    if (performance.now() - startedAtMs >= LONG_MS) this.#reviveMs.delete(name);
    while (!this.#asked.has(child) && !signal.aborted) {
      const waitMs = this.#reviveMs.get(name) ?? REVIVE_MIN_MS;
      this.#reviveMs.set(name, Math.min(2 * waitMs, REVIVE_MAX_MS));
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.restart(name);
        this.#options.onRevived?.(name, ending);
        return;
      } catch (error) {
        this.#keep(name, `${String(error)}\n`);
      }
    }
  }
}

const ENDING: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGKILL'];

async function endingOf(child: ChildProcess): Promise<Ending> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return { code: child.exitCode, signal: child.signalCode };
}

/** Whoever was started on a free port keeps it: others know it by now. */
function withPorts(plan: ProcessPlan, hello: Hello): ProcessPlan {
  const portOf = (url: string | undefined) => (url === undefined ? undefined : new URL(url).port);
  const ports = {
    'health-port': portOf(hello.health),
    'grpc-port': portOf(hello.otlpGrpc),
    'http-port': portOf(hello.otlpHttp),
    port: portOf(hello.api ?? hello.actuator ?? hello.notifier),
  };
  const kept = Object.entries(ports).flatMap(([flag, port]) => (port === undefined ? [] : [`--${flag}=${port}`]));
  const isPort = (arg: string) => Object.keys(ports).some((flag) => arg.startsWith(`--${flag}=`));
  return { ...plan, args: [...plan.args.filter((arg) => !isPort(arg)), ...kept] };
}
