import { TOPICS } from '@flyball/contracts';
import { kafkaTopics } from '@flyball/log-kafka';
import { activate, createTopics, partitionsOf } from '@flyball/runtime';
import { CliError, EXIT } from './cli-error.ts';
import { deploymentSpecs, hostSettings, openLog, openPorts } from './deployment.ts';
import { startLaneAnew } from './reset-lane.ts';

/** A setting of a topic that is not as it must be. */
export interface TopicDifference {
  readonly topic: string;
  readonly setting: string;
  readonly wanted: string;
  readonly found: string;
}

/** `topics apply`: creates what is missing and corrects settings. Returns how many topics there are, and how many of them were corrected. */
export async function applyTopics(config: string): Promise<{ topics: number; corrected: number }> {
  const host = hostSettings(config);
  const log = await openLog(host);
  await createTopics(log, host).finally(() => log.close());
  const settings = kafkaTopics(host.logUrl, process.env, host);
  const different = new Set((await settings.differences(TOPICS)).map(({ topic }) => topic));
  await settings.correct([...different]);
  return { topics: TOPICS.length, corrected: different.size };
}

/** `topics diff`. */
export async function topicDifferences(config: string): Promise<readonly TopicDifference[]> {
  const host = hostSettings(config);
  const log = await openLog(host);
  const rows: TopicDifference[] = [];
  const there: string[] = [];
  for (const topic of TOPICS) {
    const wanted = String(partitionsOf(topic, host));
    const state = await log.describe(topic).catch(() => undefined);
    if (state !== undefined) there.push(topic);
    const found =
      state === undefined ? 'no such topic, or not for us, or without append time' : String(state.partitions);
    if (found !== wanted) rows.push({ topic, setting: 'partitions', wanted, found });
  }
  await log.close();
  return [...rows, ...(await kafkaTopics(host.logUrl, process.env, host).differences(there))];
}

/** `release activate`. Returns how many lanes were cut. */
export async function activateRelease(config: string, name: string): Promise<number> {
  const host = hostSettings(config);
  const log = await openLog(host);
  try {
    const { partitions } = await log.describe('otlp_spans');
    return await activate(log, deploymentSpecs(config, host, partitions), name);
  } finally {
    await log.close();
  }
}

/** What `lane reset` may be told. */
export interface ResetOptions {
  readonly config?: string;
  readonly data?: string;
  readonly acceptLoss?: boolean;
}

/** `lane reset`. @throws {CliError} when it is no lane, or the loss was not accepted. */
export async function resetLane(lane: string, options: ResetOptions): Promise<{ epoch: number; offset: number }> {
  const match = /^([a-z]+):([a-z._]+)\/(\d+)$/.exec(lane);
  if (match === null) throw new CliError(`not a lane: ${lane}`, 'write it as planner:flyball.signals/0', EXIT.usage);
  if (options.acceptLoss !== true) {
    throw new CliError('a reset loses what the lane knew', 'say --accept-loss if that is meant', EXIT.usage);
  }
  const ports = await openPorts(options);
  const at = { topic: match[2]!, partition: Number(match[3]) };
  return startLaneAnew(ports, match[1]!, at).finally(() => ports.log.close());
}
