import type { Command } from 'commander';
import { join } from 'node:path';
import { examples } from './examples.ts';
import { HOME } from './places.ts';

interface StartOptions {
  readonly demo: boolean;
  readonly data?: string;
  readonly policies?: string;
  readonly connections?: string;
  readonly ci?: boolean;
  readonly keep?: boolean;
}

/** `flyball start`. Heavy parts are loaded when they are needed. */
export function startCommand(root: Command): void {
  root
    .command('start')
    .description('start Flyball; by itself with a demo shop, or with --no-demo for your own telemetry')
    .option('--no-demo', 'no shop, no story: take telemetry on 4317 and 4318 until stopped')
    .option('--data <dir>', 'data directory (default: ~/.flyball/data; the demo uses one of its own and wipes it)')
    .option('--policies <dir>', 'folder of policies to put on record')
    .option(
      '--connections <file>',
      'file or folder of connections: who is told of incidents, and what commands may act on',
    )
    .option('--ci', 'tell the whole story without a terminal, assert each outcome, exit 0 or 3')
    .option('--keep', 'keep the demo’s data directory')
    .addHelpText(
      'after',
      examples('flyball start', 'flyball start --no-demo --data /var/lib/flyball --policies ./policies'),
    )
    .action(async (options: StartOptions) => {
      if (!options.demo) {
        const { startServer } = await import('./start.ts');
        return startServer(options.data ?? process.env['FLYBALL_DATA'] ?? join(HOME, 'data'), options);
      }
      const { tellDemo } = await import('./story/story.ts');
      process.exitCode = await tellDemo({ isCi: options.ci === true, keeps: options.keep === true });
    });
}
