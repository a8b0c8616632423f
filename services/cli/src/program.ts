import type { WarmingView } from '@flyball/api';
import { verifyAudit } from '@flyball/audit-files';
import { Command, Option } from 'commander';
import { join } from 'node:path';
import { ApiClient } from './api-client.ts';
import { approvalCommands } from './approval-commands.ts';
import { CliError, EXIT } from './cli-error.ts';
import { clientOf, shared, type Shared } from './client-options.ts';
import { deploymentCommands } from './deployment-commands.ts';
import { detectCommand } from './detect/detect-command.ts';
import { warmingText } from './doctor/arrival-checks.ts';
import { doctorCommand } from './doctor/doctor-command.ts';
import { explain } from './explain.ts';
import { gateCommand } from './gate/gate-command.ts';
import { type Format, printRows, printValue } from './output.ts';
import { quietCommands } from './quiet-commands.ts';
import { addressesOf, dataDir, HOME, tokenOf } from './places.ts';
import { policyCommands } from './policy-commands.ts';
import type { ArchiveReplayOptions } from './replay/replay-archive.ts';
import type { ReplayOptions } from './replay/replay.ts';
import { simulateCommand } from './simulate/simulate-command.ts';
import { sendTest } from './send-test.ts';

/** The command line, whole. Heavy parts are loaded by the commands that need them. */
export function program(): Command {
  const root = new Command('flyball')
    .description('The closed-loop governor for fleets of services.')
    .showSuggestionAfterError()
    .exitOverride((error) => {
      const isFine = ['commander.helpDisplayed', 'commander.version', 'commander.help'].includes(error.code);
      process.exit(isFine ? EXIT.pass : EXIT.usage);
    });
  startCommand(root);
  lookCommands(root);
  doctorCommand(root);
  gateCommand(root);
  simulateCommand(root);
  wordCommands(root);
  approvalCommands(root);
  quietCommands(root);
  policyCommands(root);
  auditCommands(root);
  replayCommand(root);
  detectCommand(root);
  deploymentCommands(root);
  return root;
}

function startCommand(root: Command): void {
  root
    .command('start')
    .description('start Flyball; by itself with a demo shop, or with --no-demo for your own telemetry')
    .option('--no-demo', 'no shop, no story: take telemetry on 4317 and 4318 until stopped')
    .option('--data <dir>', 'data directory (default: ~/.flyball/data; the demo uses one of its own and wipes it)')
    .option('--policies <dir>', 'folder of policies to put on record')
    .option('--ci', 'tell the whole story without a terminal, assert each outcome, exit 0 or 3')
    .option('--keep', 'keep the demo’s data directory')
    .addHelpText(
      'after',
      '\nExamples:\n  flyball start\n  flyball start --no-demo --data /var/lib/flyball --policies ./policies',
    )
    .action(async (options: { demo: boolean; data?: string; policies?: string; ci?: boolean; keep?: boolean }) => {
      if (!options.demo) {
        const { startServer } = await import('./start.ts');
        return startServer(options.data ?? process.env['FLYBALL_DATA'] ?? join(HOME, 'data'), options.policies);
      }
      const { tellDemo } = await import('./story/story.ts');
      process.exitCode = await tellDemo({ isCi: options.ci === true, keeps: options.keep === true });
    });
}

function lookCommands(root: Command): void {
  shared(root.command('services').description('services and how they are'))
    .argument('[id]', 'one service, whole')
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
          { title: 'versions', of: (row) => row.versions.join(' ') },
        ],
        options.output,
      );
    });
  shared(root.command('incidents').description('incidents, newest first')).action(async (options: Shared) => {
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
    .action(async (id: string, options: Shared) => {
      const client = clientOf(options);
      const incident = await client.incident(id);
      const commands = (await client.commands()).filter(({ command }) => command.incidentId === id);
      if (options.output !== 'table') return printValue({ incident, commands }, options.output);
      process.stdout.write(explain(incident, commands));
    });
  shared(root.command('console').description('print a link that opens the console in a browser, once')).action(
    async (options: Shared) => {
      const link = await clientOf(options).consoleLink();
      if (options.output !== 'table') return printValue({ link }, options.output);
      process.stdout.write(`${link}\n`);
    },
  );
  shared(root.command('send-test').description('send one span and wait until it shows'))
    .option('--timeout <seconds>', 'how long to wait', '60')
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

function wordCommands(root: Command): void {
  shared(root.command('pause').description('stop all automation: by the API, else at the actuator’s own port'))
    .option('--reason <text>', 'why', '')
    .action(async (options: Shared & { reason: string }) => {
      const client = clientOf(options);
      const byApi = await client
        .request('PUT', '/v1/killswitch', { reason: options.reason })
        .catch((error: unknown) => error);
      if (!(byApi instanceof CliError)) return void process.stderr.write('automation is paused\n');
      const dir = dataDir(options.data);
      const atActuator = new ApiClient(addressesOf(dir).actuator, tokenOf(dir));
      await atActuator.request('POST', '/pause').catch(() => {
        throw byApi;
      });
      process.stderr.write('automation is paused at the actuator; the API does not answer\n');
    });
  shared(root.command('resume').description('let automation act again')).action(async (options: Shared) => {
    await clientOf(options).request('DELETE', '/v1/killswitch');
    process.stderr.write('automation is on\n');
  });
}

function auditCommands(root: Command): void {
  const audit = root.command('audit').description('the tamper-evident record of words, commands and outcomes');
  audit
    .command('verify')
    .description(
      'check every link and signature from the files alone; needs no server. Exit code 3 when it does not hold',
    )
    .option('--data <dir>', 'data directory')
    .option('--public-key <file>', 'a public key that was kept elsewhere')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['table', 'json', 'yaml']).default('table'))
    .action(async (options: { data?: string; publicKey?: string; output: Format }) => {
      const { readFileSync } = await import('node:fs');
      const reports = verifyAudit(dataDir(options.data), options.publicKey && readFileSync(options.publicKey, 'utf8'));
      printRows(
        reports,
        [
          { title: 'tenant', of: (row) => row.tenant },
          { title: 'chain', of: (row) => (row.ok ? 'ok' : 'BROKEN') },
          { title: 'entries', of: (row) => row.entries },
          { title: 'signed to', of: (row) => row.signedSeq },
          { title: 'problem', of: (row) => row.problem || '-' },
        ],
        options.output,
      );
      if (reports.length === 0)
        throw new CliError('there is no audit here', 'name the data directory with --data', EXIT.insufficient);
      if (reports.some(({ ok }) => !ok)) process.exitCode = EXIT.fail;
    });
}

function replayCommand(root: Command): void {
  root
    .command('replay')
    .description('run recorded telemetry through the same stages: files, or a range of an archive')
    .argument(
      '<source...>',
      'files of the Collector’s file exporter, plain, .gz or .zst, merged by time; or file:///DIR, s3://BUCKET/PREFIX',
    )
    .option('--out <dir>', 'where to write signals.jsonl, incidents.jsonl and commands.jsonl', 'replay')
    .option('--policies <dir>', 'folder of policies to decide by; commands are never carried out')
    .option('--from <time>', 'archive only: from this log time on, RFC 3339')
    .option(
      '--to <time>',
      'archive only: before this log time, RFC 3339 (default: as far as every partition is archived)',
    )
    .option('--accept-gaps', 'archive only: replay what is there, though some of the range is not')
    .option('--config <file>', 'settings file of the stages; of an archive that of its deployment')
    .option('--topology <file>', 'files only: edges that no trace shows, "edges: [{caller: web, callee: cart}]"')
    .addOption(
      new Option('--signal <kind>', 'files only: they hold length-prefixed protobuf of this kind').choices([
        ...(['traces', 'metrics', 'logs'] as const),
      ]),
    )
    .option('--windows', 'files only: write windows.jsonl too')
    .option('--report <file>', 'write one offline page of the day: incidents, causes, what it would have done')
    .option('--pages <file>', 'csv "timestamp[,service]": when your own pager went, to be set beside it in the report')
    .addHelpText(
      'after',
      '\nExamples:\n  flyball replay traces.jsonl metrics.jsonl.gz logs.jsonl.zst --out day1\n  flyball replay day.jsonl --policies ./policies --report day.html --pages pages.csv\n  flyball replay file:///var/lib/flyball --from 2026-01-05T09:00:00Z --to 2026-01-05T10:00:00Z',
    )
    .action(async (sources: string[], options: ArchiveReplayOptions & ReplayOptions) => {
      const [source = ''] = sources;
      if (/^(file|s3):/.test(source)) {
        const { replayArchive } = await import('./replay/replay-archive.ts');
        return printValue(await replayArchive(source, options), 'json');
      }
      const { from, to, acceptGaps } = options;
      if ([from, to, acceptGaps].some((each) => each !== undefined)) {
        throw new CliError('a file is replayed whole', 'leave out --from, --to and --accept-gaps', EXIT.usage);
      }
      const { replay } = await import('./replay/replay.ts');
      printValue(await replay(sources, options), 'json');
    });
}
