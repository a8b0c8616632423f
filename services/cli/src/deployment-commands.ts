import { TOPICS } from '@flyball/contracts';
import { kafkaTopics } from '@flyball/log-kafka';
import { activate, createTopics, partitionsOf } from '@flyball/runtime';
import type { Command } from 'commander';
import { CliError, EXIT } from './cli-error.ts';
import { deploymentSpecs, hostSettings, openLog, openPorts } from './deployment.ts';
import { examples } from './examples.ts';
import { printRows } from './output.ts';
import { startLaneAnew } from './reset-lane.ts';

/** What a person does to a distributed deployment: `topics`, `release`, `lane`. */
export function deploymentCommands(root: Command): void {
  topicsCommands(root);
  releaseCommands(root);
  laneCommands(root);
}

interface OfDeployment {
  readonly config: string;
}

function topicsCommands(root: Command): void {
  const topics = root.command('topics').description('the topics of a deployment on Kafka');
  topics
    .command('apply')
    .description('create what is missing, and correct settings that differ; never changes the number of partitions')
    .requiredOption('--config <file>', 'settings file of the deployment')
    .addHelpText('after', examples('flyball topics apply --config flyball.yaml'))
    .action(async ({ config }: OfDeployment) => {
      const host = hostSettings(config);
      const log = await openLog(host);
      await createTopics(log, host).finally(() => log.close());
      const settings = kafkaTopics(host.logUrl, process.env, host);
      const different = new Set((await settings.differences(TOPICS)).map(({ topic }) => topic));
      await settings.correct([...different]);
      process.stderr.write(`${TOPICS.length} topics are there; ${different.size} corrected\n`);
    });
  topics
    .command('diff')
    .description('show what is not as it must be. Exit code 3 when something is not')
    .requiredOption('--config <file>', 'settings file of the deployment')
    .addHelpText('after', examples('flyball topics diff --config flyball.yaml'))
    .action(async ({ config }: OfDeployment) => {
      const rows = await topicDifferences(config);
      printRows(
        rows,
        [
          { title: 'topic', of: (row) => row.topic },
          { title: 'setting', of: (row) => row.setting },
          { title: 'wanted', of: (row) => row.wanted },
          { title: 'found', of: (row) => row.found },
        ],
        'table',
      );
      if (rows.length > 0) process.exitCode = EXIT.fail;
    });
}

async function topicDifferences(config: string) {
  const host = hostSettings(config);
  const log = await openLog(host);
  const rows: { topic: string; setting: string; wanted: string; found: string }[] = [];
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

function releaseCommands(root: Command): void {
  root
    .command('release')
    .description('which release runs the lanes of a deployment')
    .command('activate')
    .description(
      'cut every lane over to this release and these settings; the processes of the one before close them there',
    )
    .requiredOption('--config <file>', 'settings file of the deployment')
    .option('--name <text>', 'what people call it', 'unnamed')
    .addHelpText('after', examples('flyball release activate --config flyball.yaml --name 2026-11-25'))
    .action(async ({ config, name }: OfDeployment & { name: string }) => {
      const host = hostSettings(config);
      const log = await openLog(host);
      try {
        const { partitions } = await log.describe('otlp_spans');
        const lanes = await activate(log, deploymentSpecs(config, host, partitions), name);
        process.stderr.write(`cut: ${lanes} lanes go on with ${name}\n`);
      } finally {
        await log.close();
      }
    });
}

function laneCommands(root: Command): void {
  root
    .command('lane')
    .description('lanes of a deployment')
    .command('reset')
    .description('start a new life of a lane at the end of its log, with nothing known; a planner comes up paused')
    .argument('<lane>', 'as /readyz?verbose names it: planner:flyball.signals/0')
    .option('--config <file>', 'settings file of the deployment')
    .option('--data <dir>', 'data directory of a process that has stopped')
    .option('--accept-loss', 'yes, what the lane knew and has not said is lost')
    .addHelpText('after', examples('flyball lane reset planner:flyball.signals/0 --config flyball.yaml --accept-loss'))
    .action(async (lane: string, options: { config?: string; data?: string; acceptLoss?: boolean }) => {
      const match = /^([a-z]+):([a-z._]+)\/(\d+)$/.exec(lane);
      if (match === null)
        throw new CliError(`not a lane: ${lane}`, 'write it as planner:flyball.signals/0', EXIT.usage);
      if (options.acceptLoss !== true) {
        throw new CliError('a reset loses what the lane knew', 'say --accept-loss if that is meant', EXIT.usage);
      }
      const ports = await openPorts(options);
      const at = { topic: match[2]!, partition: Number(match[3]) };
      const { epoch, offset } = await startLaneAnew(ports, match[1]!, at).finally(() => ports.log.close());
      process.stderr.write(`${lane} starts its life ${epoch} at offset ${offset}\n`);
    });
}
