import { Argument, type Command, Option } from 'commander';
import { clientOf, shared, type Shared } from './client-options.ts';
import { examples } from './examples.ts';

interface Feedback extends Shared {
  readonly cause: string;
  readonly reason: string;
}

/** `note`, `feedback`: what people say of an incident. Nothing is decided by it. */
export function remarkCommands(root: Command): void {
  keyed(root.command('note').description('add a note to the story of an incident; nothing is decided by it'))
    .argument('<incident>', 'id of the incident')
    .argument('<text>', 'at most 2,000 characters')
    .addHelpText('after', examples('flyball note inc-54649f1c64bad878 "the cache was cold"'))
    .action(async (incident: string, text: string, options: Keyed) => {
      await send(options, incident, 'notes', { text });
      process.stderr.write(`the note is in the story of ${incident}\n`);
    });
  keyed(
    root.command('feedback').description('say whether Flyball was right about an incident; nothing is decided by it'),
  )
    .argument('<incident>', 'id of the incident')
    .addArgument(new Argument('<verdict>', 'whether the cause that it names was the cause').choices(['right', 'wrong']))
    .option('--cause <service>', 'the service that it was instead', '')
    .option('--reason <text>', 'why', '')
    .addHelpText(
      'after',
      examples(
        'flyball feedback inc-54649f1c64bad878 right',
        'flyball feedback inc-54649f1c64bad878 wrong --cause payment --reason "its pool was full"',
      ),
    )
    .action(async (incident: string, verdict: string, options: Keyed & Feedback) => {
      const { cause, reason } = options;
      await send(options, incident, 'feedback', { verdict, cause, reason });
      process.stderr.write(`"${verdict}" is in the story of ${incident}\n`);
    });
}

interface Keyed extends Shared {
  readonly key?: string;
}

function keyed(command: Command): Command {
  const key = new Option('--key <text>', 'counts once, however often it is sent with this key');
  return shared(command).addOption(key);
}

async function send(options: Keyed, incident: string, what: string, body: object): Promise<void> {
  const { key } = options;
  const path = `/v1/incidents/${encodeURIComponent(incident)}/${what}`;
  await clientOf(options).request('POST', path, { ...body, ...(key !== undefined && { key }) });
}
