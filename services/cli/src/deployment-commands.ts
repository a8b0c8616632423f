import type { Command } from 'commander';
import { EXIT } from './cli-error.ts';
import type { ResetOptions } from './deployment-actions.ts';
import { examples } from './examples.ts';
import { printRows } from './output.ts';

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
      const { applyTopics } = await import('./deployment-actions.ts');
      const { topics, corrected } = await applyTopics(config);
      process.stderr.write(`${topics} topics are there; ${corrected} corrected\n`);
    });
  topics
    .command('diff')
    .description('show what is not as it must be. Exit code 3 when something is not')
    .requiredOption('--config <file>', 'settings file of the deployment')
    .addHelpText('after', examples('flyball topics diff --config flyball.yaml'))
    .action(async ({ config }: OfDeployment) => {
      const { topicDifferences } = await import('./deployment-actions.ts');
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
      const { activateRelease } = await import('./deployment-actions.ts');
      process.stderr.write(`cut: ${await activateRelease(config, name)} lanes go on with ${name}\n`);
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
    .action(async (lane: string, options: ResetOptions) => {
      const { resetLane } = await import('./deployment-actions.ts');
      const { epoch, offset } = await resetLane(lane, options);
      process.stderr.write(`${lane} starts its life ${epoch} at offset ${offset}\n`);
    });
}
