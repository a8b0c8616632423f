import type { Files, HotStore, Log, Objects, ObjectsOptions } from '@flyball/runtime';
import type { Registry } from 'prom-client';
import type { z } from 'zod';
import type { HostConfig } from './host-config.ts';
import type { LaneHealth } from './lane-loop.ts';
import type { Logger } from './logger.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Opens something that is named by a URL. */
type Opener<T> = (url: string, env: Env) => T | Promise<T>;
/** Opens an object store; the options say how one on disk is written. */
export type ObjectsOpener = (url: string, env: Env, options?: ObjectsOptions) => Objects | Promise<Objects>;
/** Opens a log; the settings of the host say how its topics are made. */
type LogOpener = (url: string, env: Env, host: HostConfig) => Promise<Log>;

/** Drivers by the scheme of their URL: `kafka`, `s3`. A main names those that its image holds. */
export interface Drivers {
  readonly log: Readonly<Record<string, LogOpener>>;
  readonly objects: Readonly<Record<string, ObjectsOpener>>;
  /** Of services that show or fill hot windows. */
  readonly hot?: Readonly<Record<string, Opener<HotStore>>>;
}

/** What a service runs on. */
export interface ServiceContext<Config> {
  readonly config: Config;
  readonly host: HostConfig;
  readonly env: Env;
  readonly log: Log;
  readonly objects: Objects;
  /** For what the service writes itself. They end the process when the disk fails. */
  readonly files: Files;
  /** Where the settings name one, and this service has to do with it. */
  readonly hot: HotStore | undefined;
  /** Partitions of the raw topics, as they are now. */
  readonly rawPartitions: number;
  readonly registry: Registry;
  readonly logger: Logger;
}

/** A service that runs. */
export interface RunningService {
  /** Addresses that it listens on, for whoever started it. */
  readonly addresses?: Readonly<Record<string, string>>;
  /** Its lanes, if it has any. */
  readonly lanes?: () => Promise<readonly LaneHealth[]>;
  /** Finishes what is under way, and lets go of everything but the log. */
  stop(): Promise<void>;
}

/** A service as a process. */
export interface ServiceDefinition<Schema extends z.ZodType> {
  /** `aggregator`: prefix of its settings, name in logs and metrics. */
  readonly name: string;
  readonly schema: Schema;
  readonly drivers: Drivers;
  readonly start: (context: ServiceContext<z.infer<Schema>>) => Promise<RunningService>;
}
