import { type ArchivePlan, ArchiveReader, describeGap, type Gap } from '@flyball/archiver';
import { RAW_TOPICS, type Window } from '@flyball/contracts';
import { rfc3339, slotStartMs } from '@flyball/core';
import { cutOf } from '@flyball/runtime';
import { LINE_DEFAULTS, type LineConfig } from '@flyball/standalone';
import { CliError, EXIT } from '../cli-error.ts';
import { lineSettings, openObjects } from '../deployment.ts';
import { DayReport, type ReportOptions } from '../report/day-report.ts';
import { ReplayOutput } from './replay-output.ts';
import { decides, readPolicies } from './replay-policies.ts';
import { ReplayStages } from './replay-stages.ts';

const TOPICS = Object.values(RAW_TOPICS);

/** What a person asks of a replay of an archive. */
export interface ArchiveReplayOptions extends ReportOptions {
  readonly out: string;
  readonly policies?: string;
  /** RFC 3339: records that were appended at or after this instant … */
  readonly from?: string;
  /** … and before this one. */
  readonly to?: string;
  readonly acceptGaps?: boolean;
  /** Settings file of the deployment whose archive it is. */
  readonly config?: string;
}

/** What a replay of an archive did. */
export interface ArchiveReplaySummary {
  readonly from: string | null;
  readonly to: string;
  readonly records: number;
  readonly bytes: number;
  readonly gaps: readonly Gap[];
  readonly windows: number;
  /** Windows that a gap may have taken spans from; marked `incomplete` in the output. */
  readonly incompleteWindows: number;
  readonly incidents: number;
  readonly commands: number;
}

/**
 * Runs archived raw telemetry through the line, as it was and at the time at which the log had appended it. The same archive,
 * range and settings give the same bytes.
 *
 * @throws {CliError} exit code 4 when the archive does not hold all of the range, unless that is accepted; 2 for what is no time.
 */
export async function replayArchive(url: string, options: ArchiveReplayOptions): Promise<ArchiveReplaySummary> {
  const fromMs = timeOf(options.from, '--from') ?? 0;
  const toMs = timeOf(options.to, '--to') ?? Infinity;
  const reader = new ArchiveReader(await openObjects(rootOf(url)));
  const plan = await reader.plan({ topics: TOPICS, fromMs, toMs });
  refuseGaps(plan, url, options.acceptGaps === true);
  const config = options.config === undefined ? LINE_DEFAULTS : lineSettings(options.config);
  const report = DayReport.of(options);
  const output = new ReplayOutput(options.out, { hasWindows: true });
  const policies = options.policies === undefined ? [] : readPolicies(options.policies);
  const replay = new ArchiveReplay(plan, config);
  const sinks = report?.besides(output.sinks) ?? output.sinks;
  const counts = { records: 0, bytes: 0 };
  for await (const { topic, partition, record } of reader.read(plan)) {
    counts.records += 1;
    counts.bytes += record.value.length;
    // A cut is for the lanes of its time; these have one behaviour throughout.
    if (cutOf(record.headers) !== undefined) continue;
    const stages = await replay.stagesAt(record.appendedAtMs, { policies, sinks });
    await stages.addRaw({ topic, partition }, record);
    await output.drain();
  }
  await replay.finish();
  await output.end();
  report?.write([url], decides(policies));
  const { incompleteWindows } = replay;
  const range = { from: fromMs === 0 ? null : rfc3339(fromMs), to: rfc3339(plan.toMs) };
  return { ...range, ...counts, gaps: plan.gaps, ...output.counts, incompleteWindows };
}

/** The stages of a replay, in the time of its records. */
class ArchiveReplay {
  incompleteWindows = 0;
  readonly #plan: ArchivePlan;
  readonly #config: LineConfig;
  #stages: ReplayStages | undefined;

  constructor(plan: ArchivePlan, config: LineConfig) {
    this.#plan = plan;
    this.#config = config;
  }

  /** The stages at an instant. Windows that can close before it are closed. */
  async stagesAt(
    atMs: number,
    how: Pick<Parameters<typeof ReplayStages.open>[0], 'policies' | 'sinks'>,
  ): Promise<ReplayStages> {
    const { windowMs } = this.#config.aggregator;
    const partitions = this.#plan.partitions.get(RAW_TOPICS.traces)!;
    const onWindow = (window: Window) => this.#judge(window);
    const setup = { config: this.#config, partitions, startMs: atMs, onWindow, ...how };
    const stages = (this.#stages ??= await ReplayStages.open(setup));
    if (slotStartMs(atMs, windowMs) > slotStartMs(stages.nowMs, windowMs)) await stages.run();
    stages.nowMs = Math.max(stages.nowMs, atMs);
    return stages;
  }

  async finish(): Promise<void> {
    await this.#stages?.run();
  }

  /** Leaves out what began before the range, and marks what a gap may have touched. */
  async #judge({ startMs, endMs, subject }: Window): Promise<object | undefined> {
    const { earlyMs, settleMs, graceMs } = this.#config.aggregator;
    const { fromMs, gaps } = this.#plan;
    // A span may be appended so long before its end, and blindness from before the range reaches so far into it.
    const leadMs = Math.max(earlyMs, settleMs);
    if (fromMs > 0 && startMs < fromMs + leadMs) return undefined;
    await this.#stages!.bind(subject);
    const isTouched = (gap: Gap) =>
      startMs < (gap.beforeMs ?? Infinity) + leadMs && endMs + graceMs > (gap.afterMs ?? 0);
    if (!gaps.some(isTouched)) return {};
    this.incompleteWindows += 1;
    return { incomplete: true };
  }
}

/** Says every gap, and stops there unless a person has accepted them. */
function refuseGaps({ gaps, segments }: ArchivePlan, url: string, isAccepted: boolean): void {
  if (segments.every(({ manifests }) => manifests.length === 0) && gaps.length === 0) {
    const fix = 'name the folder or bucket that holds archive/, and a range that it covers';
    throw new CliError(`there is nothing of that range in an archive at ${url}`, fix, EXIT.insufficient);
  }
  for (const gap of gaps) process.stderr.write(`gap: ${describeGap(gap)}\n`);
  if (gaps.length === 0 || isAccepted) return;
  const fix = 'restore the objects, choose another --from and --to, or say --accept-gaps';
  throw new CliError(`the archive does not hold all of the range: ${gaps.length} gaps`, fix, EXIT.insufficient);
}

/** The store that holds `archive/…`, also where the folder itself is named. */
function rootOf(url: string): string {
  const root = new URL(url);
  root.pathname = root.pathname.replace(/\/archive\/?$/, '') || '/';
  return root.href;
}

function timeOf(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const isTime = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.test(text);
  const atMs = Date.parse(text);
  if (isTime && !Number.isNaN(atMs)) return atMs;
  throw new CliError(`${flag} is no RFC 3339 time: ${text}`, 'write it as 2026-11-25T09:00:00Z', EXIT.usage);
}
