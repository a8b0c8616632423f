import {
  type Assessment,
  type Signal,
  type Sli,
  type SliAssessment,
  subjectKey,
  type Window,
} from '@flyball/contracts';
import { contentId } from '@flyball/core';
import type { DetectorConfig } from './config.ts';
import { type Sample, serviceSample, versionSamples } from './sample.ts';
import { scoreOf } from './score.ts';

/** An episode signals again only if the evidence has grown by this much, log10. */
const WORSE_LOG10 = 2;

/** The last signal of an episode, by `<version> <sli>`. Plain data: it is a part of the snapshot. */
export type EpisodesState = Record<string, { sinceMs: number; log10E: number; atMs: number }>;

/**
 * Signals that follow from an assessment: one when an SLI begins to fail, and record-highs after a while. Whoever
 * was told once need not be told again that nothing has changed.
 */
export function signalsOf(
  state: EpisodesState,
  assessment: Assessment,
  window: Window,
  config: DetectorConfig,
): Signal[] {
  const samples = versionSamples(window);
  const signals: Signal[] = [];
  const present = new Set<string>();
  const look = (version: string, sli: Sli, of: SliAssessment, sample: Sample | undefined) => {
    if (of.verdict !== 'fail' || of.sinceMs === null) return;
    const key = `${version} ${sli}`;
    present.add(key);
    const last = state[key];
    const isNew = last === undefined || last.sinceMs !== of.sinceMs;
    const isWorse =
      !isNew && of.log10E >= last.log10E + WORSE_LOG10 && assessment.endMs >= last.atMs + config.refractoryMs;
    if (!isNew && !isWorse) return;
    state[key] = { sinceMs: of.sinceMs, log10E: of.log10E, atMs: assessment.endMs };
    signals.push(signalOf(assessment, { version, sli, of, sample }, config));
  };
  look('', 'errors', assessment.errorsSli, serviceSample(window));
  look('', 'latency', assessment.latencySli, serviceSample(window));
  for (const { version, errorsSli, latencySli } of assessment.versions) {
    look(version, 'errors', errorsSli, samples.get(version));
    look(version, 'latency', latencySli, samples.get(version));
  }
  const isSeen = assessment.coverage === 1 && assessment.requests > 0;
  if (isSeen) for (const key of Object.keys(state)) if (!present.has(key)) delete state[key];
  return signals;
}

function signalOf(
  { subject, endMs }: Assessment,
  about: { version: string; sli: Sli; of: SliAssessment; sample: Sample | undefined },
  config: DetectorConfig,
): Signal {
  const { version, sli, of, sample } = about;
  const traceId = sli === 'errors' ? sample?.errorTraceId : sample?.slowestTraceId;
  return {
    type: 'signal',
    episodeId: contentId('e', [subjectKey(subject), sli, version, of.sinceMs ?? 0]),
    subject,
    endMs,
    kind: sli,
    series: version === '' ? sli : `${sli} ${version}`,
    instance: '',
    score: scoreOf(of.log10E, version === '' ? config.alarmLog10E : config.canaryLog10E),
    unit: sli === 'errors' ? '1' : 'ms',
    sli,
    version,
    sinceMs: of.sinceMs ?? endMs,
    observed: of.observed ?? 0,
    expected: of.expected ?? 0,
    log10E: of.log10E,
    bad: of.bad,
    requests: of.requests,
    traceId: traceId ?? '',
    detector: `${sli}@1`,
  };
}
