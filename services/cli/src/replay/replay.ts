import type { SignalKind } from '@flyball/contracts';
import { LINE_DEFAULTS } from '@flyball/standalone';
import { CliError } from '../cli-error.ts';
import { lineSettings } from '../deployment.ts';
import { DayReport, type ReportOptions } from '../report/day-report.ts';
import { mergedLines } from './merged-lines.ts';
import { ReplayLine } from './replay-line.ts';
import { ReplayOutput } from './replay-output.ts';
import { decides, readPolicies } from './replay-policies.ts';
import { replayProgress } from './replay-progress.ts';
import { readTopology } from './replay-topology.ts';

const PROGRESS_EVERY_LINES = 50;
/** So many lines that cannot be read are named one by one. */
const PROBLEMS_TOLD_MAX = 10;

/** What a person asks of a replay of files. */
export interface ReplayOptions extends ReportOptions {
  readonly out: string;
  readonly policies?: string;
  /** Settings file of the stages. */
  readonly config?: string;
  /** File of edges that no trace shows. */
  readonly topology?: string;
  /** Kind of telemetry of length-prefixed protobuf. */
  readonly signal?: SignalKind;
  readonly windows?: boolean;
}

/** What a replay did. */
export interface ReplaySummary {
  readonly lines: number;
  /** Lines that were left out, each named on standard error. */
  readonly unreadable: number;
  readonly spans: number;
  readonly points: number;
  readonly logs: number;
  readonly environments: number;
  readonly signals: number;
  readonly incidents: number;
  readonly commands: number;
  /** Times at which telemetry as a whole fell silent. */
  readonly blackouts: number;
}

/**
 * Runs recorded telemetry through the line: what the Collector's `file` exporter writes. Log time is that of the data: per
 * environment the running maximum of each line's earliest item. The same files give the same bytes.
 *
 * @throws {CliError} for a file that is not there, or of which no line can be read.
 */
export async function replay(files: readonly string[], options: ReplayOptions): Promise<ReplaySummary> {
  const report = DayReport.of(options);
  const output = new ReplayOutput(options.out, { hasWindows: options.windows === true });
  const config = options.config === undefined ? LINE_DEFAULTS : lineSettings(options.config);
  const policies = options.policies === undefined ? [] : readPolicies(options.policies);
  const edges = options.topology === undefined ? [] : readTopology(options.topology);
  const setup = { config, policies, edges, sinks: report?.besides(output.sinks) ?? output.sinks };
  const environments = new Map<string, Open>();
  const items = { traces: 0, metrics: 0, logs: 0 };
  const progress = replayProgress(files);
  let [lines, unreadable] = [0, 0];
  for await (const { file, number, parts, problem } of mergedLines(files, options.signal, progress.onBytes)) {
    lines += 1;
    if (problem !== '') {
      unreadable += 1;
      if (unreadable <= PROBLEMS_TOLD_MAX) process.stderr.write(`${file}:${number} is left out: ${problem}\n`);
    }
    for (const { environment, requests, services, earliestMs, latestMs, counts } of parts) {
      let open = environments.get(environment);
      if (open === undefined) {
        const line = await ReplayLine.open({ environment, startMs: earliestMs }, setup);
        open = { line, atMs: earliestMs, lastItemMs: latestMs };
        environments.set(environment, open);
      }
      open.atMs = Math.max(open.atMs, earliestMs);
      open.lastItemMs = Math.max(open.lastItemMs, latestMs);
      await open.line.add(requests, open.atMs, services);
      for (const signal of ['traces', 'metrics', 'logs'] as const) items[signal] += counts[signal];
    }
    if (lines % PROGRESS_EVERY_LINES === 0) progress.show(items);
    await output.drain();
  }
  if (lines > 0 && unreadable === lines) {
    throw new CliError(
      `no line of ${files.join(', ')} can be read`,
      'give files of the Collector’s file exporter: one OTLP/JSON request a line, or protobuf with --signal',
    );
  }
  for (const { line, lastItemMs } of environments.values()) await line.finish(lastItemMs);
  progress.end(items);
  await output.end();
  report?.write(files, decides(policies));
  const { signals, incidents, commands } = output.counts;
  return {
    ...{ lines, unreadable, spans: items.traces, points: items.metrics, logs: items.logs },
    ...{ environments: environments.size, signals, incidents, commands, blackouts: output.blackouts },
  };
}

interface Open {
  readonly line: ReplayLine;
  atMs: number;
  lastItemMs: number;
}
