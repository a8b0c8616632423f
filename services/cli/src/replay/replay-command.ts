import { type Command, Option } from 'commander';
import { CliError, EXIT } from '../cli-error.ts';
import { examples } from '../examples.ts';
import { printValue } from '../output.ts';
import type { ArchiveReplayOptions } from './replay-archive.ts';
import type { ReplayOptions } from './replay.ts';

/** `flyball replay`. */
export function replayCommand(root: Command): void {
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
      examples(
        'flyball replay traces.jsonl metrics.jsonl.gz logs.jsonl.zst --out day1',
        'flyball replay day.jsonl --policies ./policies --report day.html --pages pages.csv',
        'flyball replay file:///var/lib/flyball --from 2026-01-05T09:00:00Z --to 2026-01-05T10:00:00Z',
      ),
    )
    .action(async (sources: string[], options: ArchiveReplayOptions & ReplayOptions) => {
      const [source = ''] = sources;
      if (/^(file|s3):/.test(source)) {
        const { replayArchive } = await import('./replay-archive.ts');
        return printValue(await replayArchive(source, options), 'json');
      }
      const { from, to, acceptGaps } = options;
      if ([from, to, acceptGaps].some((each) => each !== undefined)) {
        throw new CliError('a file is replayed whole', 'leave out --from, --to and --accept-gaps', EXIT.usage);
      }
      const { replay } = await import('./replay.ts');
      printValue(await replay(sources, options), 'json');
    });
}
