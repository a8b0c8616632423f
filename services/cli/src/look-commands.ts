import type { WarmingView } from '@flyball/api';
import type { Command } from 'commander';
import { clientOf, shared, type Shared } from './client-options.ts';
import { warmingText } from './doctor/arrival-checks.ts';
import { examples } from './examples.ts';
import { explain } from './explain.ts';
import { printRows, printValue } from './output.ts';
import { addressesOf, dataDir } from './places.ts';
import { sendTest } from './send-test.ts';

/** `services`, `incidents`, `explain`, `console`, `send-test`: what there is to see. */
export function lookCommands(root: Command): void {
  shared(root.command('services').description('services and how they are'))
    .argument('[id]', 'one service, whole')
    .addHelpText('after', examples('flyball services', 'flyball services prod:checkout -o json'))
    .action(async (id: string | undefined, options: Shared) => {
      const client = clientOf(options);
      if (id !== undefined) return printValue(await client.service(id), options.output);
      const warming = new Map((await client.list<WarmingView>('/v1/warming')).map((each) => [each.id, each]));
      printRows(
        await client.services(),
        [
          { title: 'id', of: (row) => row.id },
          { title: 'state', of: (row) => stateText(row.state, warming.get(row.id)) },
          { title: 'requests', of: (row) => row.requests },
          { title: 'errors', of: (row) => row.errors },
          { title: 'p95 ms', of: (row) => row.p95Ms?.toFixed(1) ?? null },
          { title: 'coverage', of: (row) => row.coverage },
          { title: 'budget left', of: (row) => budgetText(row.budgetLeftRatio) },
          { title: 'versions', of: (row) => row.versions.join(' ') },
        ],
        options.output,
      );
    });
  shared(root.command('incidents').description('incidents, newest first'))
    .addHelpText('after', examples('flyball incidents', 'flyball incidents -o json'))
    .action(async (options: Shared) => {
      printRows(
        await clientOf(options).incidents(),
        [
          { title: 'id', of: (row) => row.incidentId },
          { title: 'environment', of: (row) => row.environment },
          { title: 'status', of: (row) => row.status },
          { title: 'resolution', of: (row) => row.resolution },
          { title: 'opened', of: (row) => new Date(row.openedAtMs).toISOString() },
          { title: 'title', of: (row) => row.title },
        ],
        options.output,
      );
    });
  shared(root.command('explain').description('an incident as a story: seen, blamed, considered, done, judged'))
    .argument('<id>', 'id of the incident')
    .addHelpText('after', examples('flyball explain inc-54649f1c64bad878'))
    .action(async (id: string, options: Shared) => {
      const client = clientOf(options);
      const incident = await client.incident(id);
      const commands = (await client.commands()).filter(({ command }) => command.incidentId === id);
      if (options.output !== 'table') return printValue({ incident, commands }, options.output);
      process.stdout.write(explain(incident, commands));
    });
  shared(root.command('console').description('print a link that opens the console in a browser, once'))
    .addHelpText('after', examples('flyball console', 'xdg-open "$(flyball console)"'))
    .action(async (options: Shared) => {
      const link = await clientOf(options).consoleLink();
      if (options.output !== 'table') return printValue({ link }, options.output);
      process.stdout.write(`${link}\n`);
    });
  shared(root.command('send-test').description('send one span and wait until it shows'))
    .option('--timeout <seconds>', 'how long to wait', '60')
    .addHelpText('after', examples('flyball send-test', 'flyball send-test --timeout 20 -o json'))
    .action(async (options: Shared & { timeout: string }) => {
      const { otlpHttp } = addressesOf(dataDir(options.data));
      const report = await sendTest(clientOf(options), otlpHttp, Number(options.timeout) * 1_000);
      if (options.output !== 'table') return printValue(report, options.output);
      process.stdout.write(
        `acknowledged in ${report.acknowledgedMs.toFixed(0)} ms, shown in ${report.visibleMs.toFixed(0)} ms\n`,
      );
    });
}

/** `warming, alarms from 09:41 (12 of 30 windows)`, or the state alone. */
function stateText(state: string, warming: WarmingView | undefined): string {
  return state === 'warming' && warming !== undefined ? warmingText(warming) : state;
}

/** `62 %`; below 0 it is overdrawn. */
function budgetText(leftRatio: number | null): string | null {
  return leftRatio === null ? null : `${(leftRatio * 100).toFixed(0)} %`;
}
