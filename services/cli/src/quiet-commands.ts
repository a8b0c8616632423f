import { inert } from '@flyball/core';
import type { Command } from 'commander';
import { clientOf, shared, type Shared } from './client-options.ts';
import { examples } from './examples.ts';
import { printRows } from './output.ts';
import { spanMs } from './time-span.ts';

interface Quiet extends Shared {
  readonly for: string;
  readonly reason: string;
}

interface Listed {
  readonly id: string;
  readonly environment: string;
  readonly service?: string;
  readonly untilMs: number;
  readonly actor: string;
  readonly reason: string;
}

/** `silence`, `freeze`, and their lists: when people are not told, and when nothing is done. */
export function quietCommands(root: Command): void {
  shared(
    root
      .command('silence')
      .description('tell nobody of a service, and do nothing about it, for a time; all is still recorded'),
  )
    .argument('<service>', 'name of the service, or a beginning and *')
    .option('--environment <name>', 'environment of the service', 'default')
    .requiredOption('--for <span>', 'how long: 30m, 1h, 2d; seven days at most')
    .requiredOption('--reason <text>', 'why')
    .addHelpText('after', examples('flyball silence checkout --environment prod --for 1h --reason "migration"'))
    .action(async (service: string, options: Quiet & { environment: string }) => {
      const { environment, reason } = options;
      const body = { environment, service, reason, untilMs: Date.now() + spanMs(options.for) };
      const { id } = await clientOf(options).request<{ id: string }>('POST', '/v1/silences', body);
      process.stderr.write(
        `${id}: ${inert(service)} is silenced for ${options.for}; end it with "flyball unsilence ${id}"\n`,
      );
    });
  shared(root.command('freeze').description('issue no command for an environment, for a time'))
    .argument('<environment>', 'name of the environment')
    .requiredOption('--for <span>', 'how long: 30m, 1h, 2d; seven days at most')
    .requiredOption('--reason <text>', 'why')
    .addHelpText('after', examples('flyball freeze prod --for 2h --reason "black friday"'))
    .action(async (environment: string, options: Quiet) => {
      const body = { environment, reason: options.reason, untilMs: Date.now() + spanMs(options.for) };
      const { id } = await clientOf(options).request<{ id: string }>('POST', '/v1/freezes', body);
      process.stderr.write(
        `${id}: ${inert(environment)} is frozen for ${options.for}; end it with "flyball unfreeze ${id}"\n`,
      );
    });
  listAndEnd(root, { list: 'silences', end: 'unsilence', what: 'silence' });
  listAndEnd(root, { list: 'freezes', end: 'unfreeze', what: 'freeze' });
}

function listAndEnd(root: Command, names: { list: string; end: string; what: string }): void {
  const { list, end, what } = names;
  shared(root.command(list).description(`${list} that are not over`))
    .addHelpText('after', examples(`flyball ${list}`))
    .action(async (options: Shared) => {
      const { items } = await clientOf(options).request<{ items: Listed[] }>('GET', `/v1/${list}`);
      printRows(
        items,
        [
          { title: 'id', of: (row) => row.id },
          { title: 'environment', of: (row) => row.environment },
          { title: 'service', of: (row) => row.service ?? '*' },
          { title: 'until', of: (row) => new Date(row.untilMs).toISOString() },
          { title: 'by', of: (row) => row.actor },
          { title: 'reason', of: (row) => row.reason },
        ],
        options.output,
      );
    });
  shared(root.command(end).description(`end a ${what} before its time`))
    .argument('<id>', `id of the ${what}`)
    .addHelpText('after', examples(`flyball ${end} ${what}-7f3a`))
    .action(async (id: string, options: Shared) => {
      await clientOf(options).request('DELETE', `/v1/${list}/${encodeURIComponent(id)}`);
      process.stderr.write(`${id} is over\n`);
    });
}
