import { inert } from '@flyball/core';
import type { Command } from 'commander';
import { clientOf, shared, type Shared } from '../client-options.ts';
import { printValue } from '../output.ts';
import type { Course } from './difference.ts';
import type { Simulation, SimulateOptions } from './simulate.ts';

/** `flyball simulate`. */
export function simulateCommand(root: Command): void {
  shared(root.command('simulate').description('what other policies would have done to a recorded incident'))
    .argument('<incident>', 'id of the incident')
    .requiredOption('--policy <file...>', 'policies to decide by, instead of those on record')
    .option('--assume-ready', 'as if automation were on, and every service had a target')
    .option('--config <file>', 'settings file of the planner, where it is not the default')
    .addHelpText(
      'after',
      '\nNothing is carried out, and nothing is put on record. Exit code 4 when the log does not hold that time any more.\n\nExamples:\n  flyball simulate inc-54649f1c64bad878 --policy stricter.yaml\n  flyball simulate inc-54649f1c64bad878 --policy first.yaml --assume-ready -o json',
    )
    .action(async (id: string, options: Shared & SimulateOptions) => {
      const { simulate } = await import('./simulate.ts');
      const simulation = await simulate(clientOf(options), id, options);
      if (options.output !== 'table') return printValue(simulation, options.output);
      process.stdout.write(textOf(simulation));
    });
}

function textOf({ incidentId, title, recorded, simulated, firstDifference }: Simulation): string {
  const lines = [
    `${incidentId}  ${title}`,
    '',
    ...courseLines('As it was', recorded),
    ...courseLines('With these policies', simulated),
  ];
  if (firstDifference === null) lines.push('It would have gone the same way.');
  else {
    const { at, recorded: was, simulated: would } = firstDifference;
    lines.push(
      `First difference at ${at}`,
      `  was         ${was ?? 'nothing decided'}`,
      `  would be    ${would ?? 'nothing decided'}`,
    );
  }
  return `${lines.map(inert).join('\n')}\n`;
}

function courseLines(name: string, { policies, verdicts, commands, refused }: Course): string[] {
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .map(([key, count]) => `${count} ${key}`)
      .join(', ');
  return [
    `${name} (${policies.join(', ') || 'no policy matched'})`,
    `  decisions   ${counts(verdicts) || 'none'}`,
    ...(Object.keys(refused).length > 0 ? [`  refused by  ${counts(refused)}`] : []),
    ...(commands.length === 0
      ? ['  commands    none']
      : commands.map(({ at, action }) => `  command     ${at} ${action}`)),
    '',
  ];
}
