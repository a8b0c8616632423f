import { Option } from 'commander';
import { repositoryCommand } from '../repository-command.ts';
import { evalDetect } from './detect.ts';
import { evalRca } from './rca.ts';

const root = repositoryCommand(
  'npm run eval --',
  'how good the judgements are, on recorded data that is not in this repository; docs/guide.md says where it is from. Figures of data that settings were chosen on are no promise for other data.',
);
root
  .command('detect')
  .addOption(
    new Option('--data <dir>', 'holds nab or nab-dev, mscloud, merlion').env('FLYBALL_EVAL_DATA').makeOptionMandatory(),
  )
  .option('--vary', 'one setting after another, too', false)
  .action(({ data, vary }: { data: string; vary: boolean }) => evalDetect(data, vary));
root
  .command('rca')
  .argument('<file...>', 'recorded OTLP')
  .requiredOption('--cases <file>', 'faults that were injected, JSON')
  .action((files: string[], { cases }: { cases: string }) => evalRca(files, cases));
await root.parseAsync();
