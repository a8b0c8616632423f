import { inert } from '@flyball/core';
import type { Verdict } from '@flyball/contracts';
import type { Command } from 'commander';
import { EXIT } from '../cli-error.ts';
import { clientOf, shared, type Shared } from '../client-options.ts';
import { printValue } from '../output.ts';
import { spanMs } from '../time-span.ts';
import type { GateAnswer } from './gate-answer.ts';

const EXIT_OF: Readonly<Record<Verdict, number>> = {
  pass: EXIT.pass,
  fail: EXIT.fail,
  insufficient: EXIT.insufficient,
};

/** `flyball gate`. */
export function gateCommand(root: Command): void {
  shared(root.command('gate').description('watch a new version, and answer whether a deployment may go on'))
    .argument('<service>', 'name of the service')
    .requiredOption('--version <version>', 'the version to judge, as service.version says it')
    .option('--for <span>', 'how long to watch: 90s, 10m, 1h', '10m')
    .option('--environment <name>', 'needed where the service is in several')
    .addHelpText(
      'after',
      '\nIt fails as soon as the version is certainly worse than the one beside it; else it answers at the end.\nExit codes: 0 pass, 3 fail, 4 not enough evidence to say.\n\nExamples:\n  flyball gate checkout --version v2 --for 10m --environment prod && promote\n  flyball gate checkout --version v2 --for 5m -o json',
    )
    .action(async (service: string, options: Shared & { version: string; for: string; environment?: string }) => {
      const { gate } = await import('./gate.ts');
      const { version, environment } = options;
      const question = { service, version, environment, forMs: spanMs(options.for) };
      let said = '';
      const answer = await gate(clientOf(options), question, (now) => {
        const line = lineOf(now);
        if (line !== said) process.stderr.write(`${line}\n`);
        said = line;
      });
      if (options.output === 'table') process.stdout.write(`${lineOf(answer)}\n`);
      else printValue(answer, options.output);
      process.exitCode = EXIT_OF[answer.verdict];
    });
}

function lineOf({ verdict, environment, service, reason }: GateAnswer): string {
  return inert(`${verdict}  ${environment}/${service} ${reason}`);
}
