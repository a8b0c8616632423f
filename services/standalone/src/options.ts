import { ActuatorConfig } from '@flyball/actuator';
import { AggregatorConfig } from '@flyball/aggregator';
import { ApiConfig } from '@flyball/api';
import { ArchiverConfig, ONE_MACHINE } from '@flyball/archiver';
import { DetectorConfig } from '@flyball/detector';
import { readSettings } from '@flyball/host';
import { IngestConfig } from '@flyball/ingest';
import { NotifierConfig } from '@flyball/notifier';
import { PlannerConfig } from '@flyball/planner';
import { z } from 'zod';

/** Settings of the one process, beside those of its services. */
const StandaloneConfig = z
  .strictObject({
    dir: z.string().min(1).describe('Data directory. One process owns it at a time.'),
    budgetBytes: z
      .int()
      .min(32 * 1024 * 1024)
      .default(2 * 1024 ** 3)
      .describe('Most bytes that the log may take on disk.'),
    token: z.string().default('').describe('Bearer token of the API; empty: one is made, or read from DIR/token.'),
    twinUrl: z
      .string()
      .default('')
      .describe('Base URL of a digital twin that commands may act on; empty: there is none.'),
    policiesDir: z
      .string()
      .default('')
      .describe('Folder of policies, objectives and bindings (*.yaml) to be put on record at the start.'),
    connectionsFile: z
      .string()
      .default('')
      .describe(
        'A YAML file of named connections, or a folder of such: what bindings may use, and who is told of incidents.',
      ),
    console: z
      .enum(['start', 'request', 'none'])
      .default('request')
      .describe('When the console is built, if it is not yet: at the start, when somebody asks for it, or never.'),
    takesFreePort: z.boolean().default(false).describe('A taken port gives the next free one, instead of an error.'),
    tracesUrl: z
      .string()
      .default('')
      .describe('Where this process sends its own traces: http://HOST:4317 of an OTLP/gRPC receiver; empty: nowhere.'),
    logLevel: z
      .enum(['silent', 'error', 'warn', 'info', 'debug'])
      .default('info')
      .describe('Least level that is logged.'),
  })
  .readonly();
type StandaloneConfig = z.infer<typeof StandaloneConfig>;

/** All settings of one process. */
export interface StandaloneOptions {
  readonly standalone: StandaloneConfig;
  readonly ingest: IngestConfig;
  readonly aggregator: AggregatorConfig;
  readonly detector: DetectorConfig;
  readonly planner: PlannerConfig;
  readonly actuator: ActuatorConfig;
  readonly api: ApiConfig;
  readonly archiver: ArchiverConfig;
  readonly notifier: NotifierConfig;
}

/** One process is bounded in memory: every service costs some 10 KB of it in all stages together, and there are four lanes of them. */
const FEW: Partial<AggregatorConfig> = { subjectsMax: 500 };

/** Overrides by service, as flags give them. */
export type Overrides = { readonly [Service in keyof StandaloneOptions]?: Readonly<Record<string, unknown>> };

/**
 * Reads all settings: `FLYBALL_<SERVICE>_<SETTING>` from the environment, then `overrides`.
 *
 * @throws {RejectedError} `CONFIG_INVALID`: exit with 78.
 */
export function readOptions(
  env: Readonly<Record<string, string | undefined>>,
  overrides: Overrides,
): StandaloneOptions {
  return {
    standalone: readSettings(StandaloneConfig, 'FLYBALL_STANDALONE', env, { flags: overrides.standalone }),
    ingest: readSettings(IngestConfig, 'FLYBALL_INGEST', env, { flags: overrides.ingest }),
    aggregator: readSettings(AggregatorConfig, 'FLYBALL_AGGREGATOR', env, { file: FEW, flags: overrides.aggregator }),
    detector: readSettings(DetectorConfig, 'FLYBALL_DETECTOR', env, { flags: overrides.detector }),
    planner: readSettings(PlannerConfig, 'FLYBALL_PLANNER', env, { flags: overrides.planner }),
    actuator: readSettings(ActuatorConfig, 'FLYBALL_ACTUATOR', env, { flags: overrides.actuator }),
    api: readSettings(ApiConfig, 'FLYBALL_API', env, { flags: overrides.api }),
    archiver: readSettings(ArchiverConfig, 'FLYBALL_ARCHIVER', env, { file: ONE_MACHINE, flags: overrides.archiver }),
    notifier: readSettings(NotifierConfig, 'FLYBALL_NOTIFIER', env, { flags: overrides.notifier }),
  };
}
