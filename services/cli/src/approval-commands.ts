import { inert } from '@flyball/core';
import type { ApprovalView } from '@flyball/api';
import type { Command } from 'commander';
import { CliError, EXIT } from './cli-error.ts';
import { clientOf, shared, type Shared } from './client-options.ts';
import { examples } from './examples.ts';
import { printRows } from './output.ts';

interface Answer extends Shared {
  readonly digest?: string;
  readonly reason: string;
}

/** `approvals`, `approve`, `deny`: what people are asked, and their answers. */
export function approvalCommands(root: Command): void {
  shared(root.command('approvals').description('what people are asked before it is done, newest first'))
    .option('--all', 'also what was answered, or is over')
    .addHelpText('after', examples('flyball approvals', 'flyball approvals --all -o json'))
    .action(async (options: Shared & { all?: boolean }) => {
      const items = await approvals(options);
      printRows(
        options.all === true ? items : items.filter(({ status }) => status === 'pending'),
        [
          { title: 'id', of: (row) => row.commandId },
          { title: 'status', of: (row) => row.status },
          { title: 'environment', of: (row) => row.environment },
          { title: 'action', of: (row) => row.action },
          { title: 'policy', of: (row) => row.policy },
          { title: 'touches', of: (row) => `${(row.blast.trafficRatio * 100).toFixed(0)} % of ${row.service}` },
          { title: 'until', of: (row) => new Date(row.expiresAtMs).toISOString() },
          { title: 'evidence', of: (row) => row.evidence.join('; ') },
        ],
        options.output,
      );
    });
  answerCommand(root, 'approve', 'let a command be issued, exactly as it is asked for now');
  answerCommand(root, 'deny', 'say no to a command');
}

function answerCommand(root: Command, verdict: 'approve' | 'deny', description: string): void {
  shared(root.command(verdict).description(description))
    .argument('<id>', 'id of the command, as "flyball approvals" lists it')
    .option('--digest <hex>', 'digest of what you were shown; refused if something else is asked by now')
    .option('--reason <text>', 'why', '')
    .addHelpText('after', examples(`flyball ${verdict} c-fcf10ae2241b64af --reason "seen on the dashboard"`))
    .action(async (id: string, options: Answer) => {
      const asked = (await approvals(options)).find(({ commandId }) => commandId === id);
      if (asked === undefined) {
        throw new CliError(`nobody is asked about ${id}`, 'see "flyball approvals --all"', EXIT.toolError);
      }
      const digest = options.digest ?? asked.digest;
      const answer = { verdict, digest, reason: options.reason };
      await clientOf(options).request('POST', `/v1/approvals/${encodeURIComponent(id)}`, answer);
      const done = verdict === 'approve' ? 'approved' : 'denied';
      process.stderr.write(`${done}: ${inert(asked.action)} in ${inert(asked.environment)} (${digest.slice(0, 12)})\n`);
    });
}

async function approvals(options: Shared): Promise<readonly ApprovalView[]> {
  return (await clientOf(options).request<{ items: ApprovalView[] }>('GET', '/v1/approvals')).items;
}
