import { Actuator, listenControlPort } from '@flyball/actuator';
import { buildApi, ControlWriter, listenApi, ReadModel, recordPolicies } from '@flyball/api';
import type { Archiver } from '@flyball/archiver';
import { AuditFiles } from '@flyball/audit-files';
import type { AppError } from '@flyball/core';
import { EMBEDDED_LANES, TOPICS, TOPOLOGY } from '@flyball/contracts';
import {
  createLogger,
  HotSink,
  laneMetrics,
  LaneLoop,
  type ListeningPort,
  type Logger,
  pacesOf,
  partHealth,
  startTracing,
  type Tracing,
  watchedFiles,
} from '@flyball/host';
import { Ingest, listenGrpc, listenHttp, type Listening } from '@flyball/ingest';
import { EmbeddedLog } from '@flyball/log-embedded';
import { MemoryHotStore } from '@flyball/memory';
import { DirectoryObjects } from '@flyball/objects-dir';
import {
  activateIfChanged,
  createTopics,
  type Log,
  type Objects,
  type TargetDriver,
  type TopicBodies,
} from '@flyball/runtime';
import type { FastifyInstance } from 'fastify';
import * as nodeFiles from 'node:fs/promises';
import { join } from 'node:path';
import { collectDefaultMetrics, Counter, Registry } from 'prom-client';
import { startArchiver } from './archiver.ts';
import { openConsole } from './console.ts';
import { loadToken, makeDataFolder, storeInData } from './data-folder.ts';
import { logMetrics } from './log-metrics.ts';
import { lineSpecs } from './line.ts';
import { outsideOf, type RunningNotifier, startNotifier } from './notifier.ts';
import type { StandaloneOptions } from './options.ts';
import { listenFrom } from './ports.ts';

const RESERVED = { reservedTopics: TOPICS.filter((topic) => TOPOLOGY[topic].isReserved) };

/** Where everything listens. Also in `DIR/addresses.json`, for the CLI. */
export interface Addresses {
  readonly api: string;
  readonly otlpGrpc: string;
  readonly otlpHttp: string;
  /** The actuator's own port: the second road of the kill switch. */
  readonly actuator: string;
  /** The notifier's own port: it lists and tests connections. */
  readonly notifier: string;
}

/** The whole line in one process, over the embedded log. */
export class Standalone {
  readonly addresses: Addresses;
  readonly token: string;
  readonly #parts: Parts;
  #stopped: Promise<void> | undefined;

  private constructor(addresses: Addresses, token: string, parts: Parts) {
    this.addresses = addresses;
    this.token = token;
    this.#parts = parts;
  }

  /**
   * Starts everything, in the order data flows backwards: who reads is there before who writes.
   *
   * @param onBroken - ends the process: the disk cannot be trusted any more, see `DISK_FAILED`.
   * @throws {UnavailableError} `LOG_LOCKED`, `LOG_UNREADABLE`, `LOG_FULL`, `DATA_UNWRITABLE`, `PORT_TAKEN`
   * @throws {RejectedError} `TOPIC_PARTITIONS`, `POLICY_INVALID`, `CONNECTIONS_INVALID`
   */
  static async start(options: StandaloneOptions, onBroken: (error: AppError) => void): Promise<Standalone> {
    const { dir, budgetBytes, logLevel, policiesDir, tracesUrl } = options.standalone;
    const tracing = tracesUrl === '' ? undefined : await startTracing('flyball-standalone', tracesUrl);
    const logger = createLogger(logLevel);
    const { drivers, driverNames, connections } = outsideOf(options.standalone);
    const files = watchedFiles(nodeFiles, onBroken);
    await makeDataFolder(files, dir);
    const token = await loadToken(files, dir, options.standalone.token);
    const log = await EmbeddedLog.open({ dir: join(dir, 'log'), budgetBytes, ...RESERVED, onBroken });
    try {
      await createTopics(log, { lanes: EMBEDDED_LANES, rawPartitions: EMBEDDED_LANES });
      const registry = new Registry();
      collectDefaultMetrics({ register: registry });
      const words = new ControlWriter(log);
      if (policiesDir !== '') await recordPolicies(policiesDir, words, log, driverNames);
      const objects = new DirectoryObjects(join(dir, 'objects'), files);
      const loops = await startLanes({ log, objects }, options, logger);
      const audit = new AuditFiles(log, dir, files);
      await audit.start();
      const lanes = async () => [
        ...(await Promise.all(loops.map((loop) => loop.health()))),
        partHealth('audit files', audit.failure),
      ];
      laneMetrics(registry, lanes);
      logMetrics(registry, log);
      const hot = new MemoryHotStore();
      const sink = new HotSink({ log, hot }, logger);
      await sink.start();
      const model = new ReadModel(log, hot);
      await model.start();
      const actuator = await startActuator({ log, audit, drivers }, options, { registry, logger });
      const archiver = await startArchiver({ log, files, checkpoints: objects }, options, { registry, logger });
      const notifier = await startNotifier({ log, objects, lanes, registry, logger, connections }, options, token);
      const ingest = await Ingest.open(options.ingest, { log, registry });
      const [state, console] = [{ isStopping: false }, openConsole(options.standalone)];
      const { warmupWindows } = options.detector;
      const told = { console, lanes, warmupWindows, isStopping: () => state.isStopping };
      const app = await buildApi({ model, words, registry, token, drivers: driverNames, ...told });
      const { apiPort, grpc, http, control } = await listen({ app, ingest, actuator }, options, token);
      const { api, ingest: at } = options;
      const addresses = {
        api: `http://${api.host}:${apiPort}`,
        otlpGrpc: `http://${at.host}:${grpc.port}`,
        otlpHttp: `http://${at.host}:${http.port}`,
        actuator: `http://${options.actuator.host}:${control.port}`,
        notifier: `http://${options.notifier.host}:${notifier.port}`,
      };
      await storeInData(files, join(dir, 'addresses.json'), `${JSON.stringify(addresses)}\n`);
      return new Standalone(addresses, token, {
        log,
        loops,
        audit,
        sink,
        model,
        actuator,
        archiver,
        notifier,
        ingest,
        app,
        grpc,
        http,
        control,
        state,
        tracing,
      });
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /** Stops: not ready first, then what is under way is finished, and every lane is saved. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { log, loops, audit, sink, model, actuator, archiver, notifier, tracing } = this.#parts;
    const { ingest, app, grpc, http, control, state } = this.#parts;
    state.isStopping = true;
    await ingest.drain();
    await Promise.all([grpc.close(), http.close()]);
    await ingest.close();
    await actuator.stop();
    await Promise.all(loops.map((loop) => loop.stop()));
    await Promise.all([archiver.stop(), audit.stop(), sink.stop(), model.stop(), control.close(), app.close()]);
    await notifier.stop();
    await tracing?.stop();
    await log.close();
  }
}

interface Parts {
  readonly log: EmbeddedLog;
  readonly loops: readonly LaneLoop<unknown, TopicBodies>[];
  readonly audit: AuditFiles;
  readonly sink: HotSink;
  readonly model: ReadModel;
  readonly actuator: Actuator;
  readonly archiver: Archiver;
  readonly notifier: RunningNotifier;
  readonly ingest: Ingest;
  readonly app: FastifyInstance;
  readonly grpc: Listening;
  readonly http: Listening;
  readonly control: ListeningPort;
  readonly state: { isStopping: boolean };
  readonly tracing: Tracing | undefined;
}

async function startLanes(
  ports: { readonly log: Log; readonly objects: Objects },
  options: StandaloneOptions,
  logger: Logger,
): Promise<LaneLoop<unknown, TopicBodies>[]> {
  const specs = lineSpecs(options, EMBEDDED_LANES, process.version);
  // Nobody else runs these lanes: other settings, or another release, take over where the last one has stopped.
  const isCut = await activateIfChanged(ports, specs, `node ${process.version}`);
  if (isCut) logger.info('settings or release have changed: cut');
  const paces = pacesOf(specs, ports, logger);
  const loops = specs.flatMap((spec) => {
    const how = { logger, uncleanAfterMs: 0, pace: paces.get(spec) };
    return Array.from({ length: EMBEDDED_LANES }, (_, partition) => new LaneLoop(spec, ports, partition, how));
  });
  for (const loop of loops) loop.start();
  return loops;
}

/** Opens the doors, last of all: a taken port is another's fault, or answered by the next free one. @throws {UnavailableError} `PORT_TAKEN` */
async function listen(
  { app, ingest, actuator }: Pick<Parts, 'app' | 'ingest' | 'actuator'>,
  { api, ingest: at, actuator: control, standalone: { takesFreePort } }: StandaloneOptions,
  token: string,
) {
  return {
    apiPort: await listenFrom(api.port, takesFreePort, (port) => listenApi(app, { ...api, port })),
    grpc: await listenFrom(at.grpcPort, takesFreePort, (grpcPort) => listenGrpc(ingest, { ...at, grpcPort })),
    http: await listenFrom(at.httpPort, takesFreePort, (httpPort) => listenHttp(ingest, { ...at, httpPort })),
    control: await listenControlPort(actuator.killSwitch, control, token),
  };
}

async function startActuator(
  { log, audit, drivers }: { readonly log: Log; readonly audit: AuditFiles; readonly drivers: readonly TargetDriver[] },
  { actuator: config, standalone: { dir } }: StandaloneOptions,
  { registry, logger }: { registry: Registry; logger: Logger },
): Promise<Actuator> {
  const outcomes = new Counter({
    name: 'flyball_actuator_outcomes_total',
    help: 'Commands by what became of them.',
    labelNames: ['status'],
    registers: [registry],
  });
  const actuator = await Actuator.open(config, {
    log,
    drivers,
    pauseFile: join(dir, 'PAUSE'),
    auditFailure: () => audit.failure?.code ?? '',
    onOutcome: ({ status }) => outcomes.inc({ status }),
    onError: (error) => logger.warn({ error }, 'actuator: tried again'),
  });
  actuator.start();
  return actuator;
}
