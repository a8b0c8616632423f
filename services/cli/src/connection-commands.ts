import { inert } from '@flyball/core';
import type { ConnectionState, TestAnswer } from '@flyball/notifier';
import type { Command } from 'commander';
import { ApiClient } from './api-client.ts';
import { EXIT } from './cli-error.ts';
import { shared, type Shared } from './client-options.ts';
import { examples } from './examples.ts';
import { printRows, printValue } from './output.ts';
import { addressesOf, dataDir, tokenOf } from './places.ts';

/** `connections` and `connections test`: who is told of incidents, and whether that works. They ask the notifier's own port. */
export function connectionCommands(root: Command): void {
  const connections = shared(root.command('connections').description('who is told of incidents, and how that goes'))
    .addHelpText('after', examples('flyball connections', 'flyball connections test ops-slack'))
    .action(async (options: Shared) => {
      const { items, reasons } = await notifierOf(options).request<{ items: ConnectionState[]; reasons: string[] }>(
        ...(['GET', '/connections'] as const),
      );
      if (options.output !== 'table') return printValue({ items, reasons }, options.output);
      printRows(
        items,
        [
          { title: 'name', of: (row) => row.name },
          { title: 'kind', of: (row) => row.kind },
          { title: 'host', of: (row) => row.host },
          { title: 'state', of: (row) => (row.code === '' ? row.state : `${row.state}: ${row.code}`) },
          { title: 'open', of: (row) => row.openIncidents },
          { title: 'lag', of: (row) => row.lag },
          {
            title: 'last sent',
            of: (row) => (row.lastSentAtMs === null ? null : new Date(row.lastSentAtMs).toISOString()),
          },
          { title: 'pinged', of: (row) => (row.isPinged ? 'yes' : 'no') },
        ],
        options.output,
      );
      for (const reason of reasons) process.stderr.write(`not well: ${inert(reason)}\n`);
    });
  connections
    .command('test')
    .description('send one test notification and print what was answered. Exit code 3 when it was not taken')
    .argument('<name>', 'name of the connection')
    .addHelpText('after', examples('flyball connections test ops-slack'))
    .action(async (name: string, _options: object, command: Command) => {
      // Options of the parent: those of the same name would never reach a command below it.
      const options = command.optsWithGlobals<Shared>();
      const path = `/connections/${encodeURIComponent(name)}/test`;
      const tried = await notifierOf(options).request<TestAnswer>('POST', path);
      if (!tried.ok) process.exitCode = EXIT.fail;
      if (options.output !== 'table') return printValue(tried, options.output);
      const { ok, status, answer } = tried;
      const answered = status === 0 ? '' : ` ${status}`;
      process.stdout.write(`${ok ? 'taken' : 'not taken'}${answered}${answer === '' ? '' : `: ${inert(answer)}`}\n`);
    });
}

function notifierOf({ data, url }: Shared): ApiClient {
  const dir = dataDir(data);
  return new ApiClient(url ?? addressesOf(dir).notifier, tokenOf(dir));
}
