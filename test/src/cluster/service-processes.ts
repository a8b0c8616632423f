import { type Child, startChild, stopChild } from '@flyball/host';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** The services of a deployment, each a process of its own. */
export class ServiceProcesses {
  readonly #plans = new Map<string, ProcessPlan>();
  readonly #children = new Map<string, Child<Hello>>();
  readonly #env: Readonly<Record<string, string>>;
  readonly #logDir: string;

  /**
   * @param env - what all of them find in their environment: secrets.
   * @param logDir - folder that takes what they print on standard error, a file per process.
   */
  constructor(env: Readonly<Record<string, string>>, logDir: string) {
    this.#env = env;
    this.#logDir = logDir;
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
    const logFile = join(this.#logDir, `${plan.name}.log`);
    child.process.stderr?.on('data', (chunk: Buffer) => appendFileSync(logFile, chunk));
    return child.hello;
  }

  /** Starts a process again, on the ports that it had. */
  restart(name: string): Promise<Hello> {
    return this.start(withPorts(this.#plans.get(name)!, this.#children.get(name)!.hello));
  }

  /** kill -9 of one process. */
  async kill(name: string): Promise<void> {
    const { process: child } = this.#children.get(name)!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Resolves when a process has ended. */
  async ended(name: string): Promise<Ending> {
    const { process: child } = this.#children.get(name)!;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return { code: child.exitCode, signal: child.signalCode };
  }

  /** Sends a signal to one process. */
  signal(name: string, signal: NodeJS.Signals): void {
    this.#children.get(name)!.process.kill(signal);
  }

  get names(): readonly string[] {
    return [...this.#plans.keys()];
  }

  hello(name: string): Hello {
    return this.#children.get(name)!.hello;
  }

  /** Asks all of them to stop, and waits until they are gone. */
  async stop(): Promise<void> {
    await Promise.all([...this.#children.values()].map(({ process: child }) => stopChild(child)));
  }
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
