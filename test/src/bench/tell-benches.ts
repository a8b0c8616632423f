import { Argument } from 'commander';
import { repositoryCommand } from '../repository-command.ts';
import { type Finding, line } from './measure.ts';

/** A command that runs the benchmarks that are named, or all, and prints what each found. */
export async function tellBenches(command: {
  readonly name: string;
  readonly description: string;
  readonly benches: Readonly<Record<string, () => readonly Finding[] | Promise<readonly Finding[]>>>;
}): Promise<void> {
  const { name, description, benches } = command;
  const chosen = new Argument('[name...]', 'which of them (default: all)').choices(Object.keys(benches));
  const help = `${description}. Machines differ and are shared: believe the ratios within one run.`;
  const [wanted] = repositoryCommand(name, help).addArgument(chosen).parse().processedArgs as [string[]];
  for (const [bench, run] of Object.entries(benches)) {
    if (wanted.length > 0 && !wanted.includes(bench)) continue;
    for (const finding of await run()) process.stdout.write(line(finding));
  }
}
