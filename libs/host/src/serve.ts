import { AppError, RejectedError } from '@flyball/core';
import { checkTopics, type HotStore, type Log } from '@flyball/runtime';
import * as nodeFiles from 'node:fs/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { collectByAllMemory } from './external-memory.ts';
import { listenHealth } from './health-server.ts';
import type { ListeningPort } from './listen.ts';
import { laneMetrics } from './lane-metrics.ts';
import { createLogger, describeError, type Logger } from './logger.ts';
import type { ObjectsOpener, RunningService, ServiceDefinition } from './service.ts';
import { StuckWatch } from './stuck-watch.ts';
import { startTracing, type Tracing } from './tracing.ts';
import { readServiceSettings, type ServiceSettings } from './service-settings.ts';
import { endOnBrokenDisk, watchedFiles } from './watched-files.ts';

const EXIT = { bug: 70, rejected: 78, unavailable: 1 } as const;
const BACKOFF_MIN_MS = 200;
const BACKOFF_MAX_MS = 5_000;

/**
 * Runs a service as a process: settings, health, log and object store, the service itself, and a graceful end. It comes up
 * without its dependencies and waits for them, not ready. `config print` and `config validate` as first arguments say what
 * its settings are. Prints its addresses as one line of JSON on standard output when it is there.
 */
export async function serve<Schema extends z.ZodType>(definition: ServiceDefinition<Schema>): Promise<void> {
  collectByAllMemory();
  const { argv, env } = process;
  const isAsked = argv[2] === 'config';
  try {
    const args = argv.slice(isAsked ? 4 : 2);
    const settings = readServiceSettings(definition.name, definition.schema, { env, args });
    if (isAsked) return tellSettings(definition.name, settings, argv[3]);
    await new ServiceProcess(definition, settings).run();
  } catch (error) {
    process.stderr.write(`${JSON.stringify({ service: definition.name, error: describeError(error) })}\n`);
    process.exit(error instanceof AppError ? EXIT[error.kind] : EXIT.bug);
  }
}

function tellSettings(name: string, { host, service }: ServiceSettings<unknown>, verb = ''): void {
  if (verb === 'print') process.stdout.write(stringify({ host, [name]: service }));
  else if (verb !== 'validate') throw new RejectedError('CONFIG_INVALID', 'say "config print" or "config validate"');
}

class ServiceProcess<Schema extends z.ZodType> {
  readonly #definition: ServiceDefinition<Schema>;
  readonly #settings: ServiceSettings<z.infer<Schema>>;
  readonly #logger: Logger;
  readonly #registry = new Registry();
  #phase: 'starting' | 'running' | 'stopping' = 'starting';
  #log: Log | undefined;
  #hot: HotStore | undefined;
  #tracing: Tracing | undefined;
  #service: RunningService | undefined;
  #health: ListeningPort | undefined;

  constructor(definition: ServiceDefinition<Schema>, settings: ServiceSettings<z.infer<Schema>>) {
    this.#definition = definition;
    this.#settings = settings;
    this.#logger = createLogger(settings.host.logLevel).child({ service: definition.name });
    collectDefaultMetrics({ register: this.#registry });
    laneMetrics(this.#registry, () => this.#lanes());
  }

  async run(): Promise<void> {
    const { healthHost, healthPort } = this.#settings.host;
    this.#health = await listenHealth({
      host: healthHost,
      port: healthPort,
      registry: this.#registry,
      report: () => this.#report(),
    });
    this.#stopOnSignals();
    const { tracesUrl } = this.#settings.host;
    if (tracesUrl !== '') this.#tracing = await startTracing(`flyball-${this.#definition.name}`, tracesUrl);
    this.#service = await this.#start();
    this.#phase = 'running';
    const { stuckMs } = this.#settings.host;
    const onStuck = () => {
      this.#logger.error({ stuckMs }, 'no lane reaches the log: a fresh process may');
      process.exit(1);
    };
    new StuckWatch({ stuckMs, lanes: () => this.#lanes(), onStuck }).start();
    const health = `http://${healthHost}:${this.#health.port}`;
    const hello = { service: this.#definition.name, pid: process.pid, health, ...this.#service.addresses };
    process.stdout.write(`${JSON.stringify(hello)}\n`);
    this.#logger.info(hello, 'running');
  }

  async #start(): Promise<RunningService> {
    const { name, drivers, start } = this.#definition;
    const { host, service: config } = this.#settings;
    const { env } = process;
    const [registry, logger] = [this.#registry, this.#logger];
    const files = watchedFiles(nodeFiles, endOnBrokenDisk);
    const log = await this.#patiently(() => driverOf(drivers.log, host.logUrl)(host.logUrl, env, host));
    this.#log = log;
    const openObjects = driverOf<ObjectsOpener>(drivers.objects, host.objectsUrl);
    const objects = await this.#patiently(async () => openObjects(host.objectsUrl, env, { files }));
    const hot = await this.#openHot();
    const rawPartitions = await this.#patiently(() => checkTopics(log, host.lanes));
    logger.debug({ name, rawPartitions }, 'log and object store are there');
    const ports = { env, log, objects, files, hot };
    return this.#patiently(() => start({ config, host, ...ports, rawPartitions, registry, logger }));
  }

  /** A hot store that is away is nobody's concern but of who reads it. */
  async #openHot(): Promise<HotStore | undefined> {
    const { hot } = this.#definition.drivers;
    const { host } = this.#settings;
    if (hot === undefined || host.hotUrl === '') return undefined;
    this.#hot = await driverOf(hot, host.hotUrl)(host.hotUrl, process.env);
    return this.#hot;
  }

  /** A dependency that is away is waited for; what can never succeed ends the process. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let backoffMs = BACKOFF_MIN_MS; ; backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS)) {
      try {
        return await work();
      } catch (error) {
        const isAway = error instanceof AppError && error.kind === 'unavailable' && error.code !== 'PORT_TAKEN';
        if (!isAway) throw error;
        this.#logger.warn({ error }, 'waits for what it needs');
        await new Promise((resolve) => setTimeout(resolve, backoffMs));
      }
    }
  }

  async #lanes() {
    return (await this.#service?.lanes?.()) ?? [];
  }

  async #report() {
    const lanes = await this.#lanes();
    const isWell = lanes.every(({ state }) => state === 'running' || state === 'resting');
    return { isReady: this.#phase === 'running' && isWell, phase: this.#phase, lanes };
  }

  /** Not ready first, then everything is finished. A second signal, or a stop that takes too long, does not wait. */
  #stopOnSignals(): void {
    const stop = (): void => {
      if (this.#phase === 'stopping') process.exit(1);
      this.#phase = 'stopping';
      setTimeout(() => process.exit(1), this.#settings.host.drainMs).unref();
      void this.#stop().then(
        () => process.exit(0),
        (error: unknown) => {
          this.#logger.error({ error }, 'did not stop cleanly');
          process.exit(1);
        },
      );
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  }

  async #stop(): Promise<void> {
    await this.#service?.stop();
    await this.#tracing?.stop();
    await this.#hot?.close();
    await this.#log?.close();
    await this.#health?.close();
  }
}

/** The driver of a URL, by its scheme. @throws {RejectedError} `CONFIG_INVALID` */
export function driverOf<Driver>(drivers: Readonly<Record<string, Driver>>, url: string): Driver {
  const scheme = url.slice(0, url.indexOf(':'));
  const driver = drivers[scheme];
  if (driver !== undefined) return driver;
  const known = Object.keys(drivers).map((each) => `${each}:`);
  throw new RejectedError('CONFIG_INVALID', `no driver for ${scheme}: in this process`, {
    hint: `It knows ${known.join(', ')}.`,
  });
}
