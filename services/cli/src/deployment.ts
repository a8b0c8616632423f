import { AggregatorConfig, aggregatorSpecs } from '@flyball/aggregator';
import { auditorSpecs } from '@flyball/auditor';
import { DetectorConfig, detectorSpecs } from '@flyball/detector';
import { driverOf, type HostConfig, type ObjectsOpener, readServiceSettings } from '@flyball/host';
import { type KafkaLog, openKafkaLog } from '@flyball/log-kafka';
import { EmbeddedLog } from '@flyball/log-embedded';
import { DirectoryObjects, openDirectoryObjects } from '@flyball/objects-dir';
import { openS3Objects } from '@flyball/objects-s3';
import { PlannerConfig, plannerSpecs } from '@flyball/planner';
import { type AnyLaneSpec, Line, type LanePorts, type Objects } from '@flyball/runtime';
import type { LineConfig } from '@flyball/standalone';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CliError } from './cli-error.ts';

const NO_SETTINGS = z.strictObject({});

/** Settings that say where a distributed deployment is, from its settings file and the environment. */
export function hostSettings(config: string): HostConfig {
  return readServiceSettings('cli', NO_SETTINGS, sources(config)).host;
}

/** Every processor of a deployment, as its settings file makes it: each service's behaviour is that of its own process. */
export function deploymentSpecs(config: string, host: HostConfig, rawPartitions: number): readonly AnyLaneSpec[] {
  const shape = { lanes: host.lanes, rawPartitions, nodeVersion: process.version };
  const { aggregator, detector, planner } = lineSettings(config);
  return [
    ...aggregatorSpecs(aggregator, new Line(shape, [aggregator])),
    ...detectorSpecs(detector, new Line(shape, [detector])),
    ...plannerSpecs(planner, new Line(shape, [planner])),
    ...auditorSpecs(new Line(shape, [])),
  ];
}

/** Settings of the stages of a deployment, from its settings file and the environment. */
export function lineSettings(config: string): LineConfig {
  return {
    aggregator: readServiceSettings('aggregator', AggregatorConfig, sources(config)).service,
    detector: readServiceSettings('detector', DetectorConfig, sources(config)).service,
    planner: readServiceSettings('planner', PlannerConfig, sources(config)).service,
  };
}

/** An object store by its URL. @throws {RejectedError} `CONFIG_INVALID` */
export async function openObjects(url: string): Promise<Objects> {
  return driverOf<ObjectsOpener>({ file: openDirectoryObjects, s3: openS3Objects }, url)(url, process.env);
}

/** The log of a deployment, as its settings file names it. */
export function openLog(host: HostConfig): Promise<KafkaLog> {
  if (host.logUrl.startsWith('kafka:')) return openKafkaLog(host.logUrl, process.env, host);
  throw new CliError(`no driver for ${host.logUrl}`, 'name a kafka:// URL as logUrl');
}

/** Log and object store of a deployment, or of a data directory that no process uses now. */
export async function openPorts({ config, data }: { config?: string; data?: string }): Promise<LanePorts> {
  if (config !== undefined) {
    const host = hostSettings(config);
    return { log: await openLog(host), objects: await openObjects(host.objectsUrl) };
  }
  if (data === undefined || !existsSync(join(data, 'log'))) {
    throw new CliError('which deployment?', 'name a data directory with --data, or a settings file with --config');
  }
  return {
    log: await EmbeddedLog.open({ dir: join(data, 'log') }),
    objects: new DirectoryObjects(join(data, 'objects')),
  };
}

function sources(config: string) {
  return { env: process.env, args: [`--config=${config}`] };
}
