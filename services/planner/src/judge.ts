import type { Assessment, Command, Judgement } from '@flyball/contracts';
import type { PlannerConfig } from './config.ts';
import type { KnownCommand } from './environment.ts';
import { percent, seconds } from './sentences.ts';

/** How long to wait after an effect, and within how long it must have helped, ms. */
export interface Patience {
  readonly stabilizeMs: number;
  readonly windowMs: number;
}

/** What can be said of an applied command after one more assessment; `undefined` while nothing can. */
export type Verification = Pick<Judgement, 'status' | 'sentence'> | undefined;

/** An error ratio so much higher than before the action, absolutely, is harm. */
const HARM_RATIO = 0.05;

/**
 * Judges an applied command by an assessment of its service after it. Windows that began before the effect had
 * settled, or that nobody can vouch for, say nothing: blind means hold, also here.
 */
export function judge(
  known: KnownCommand,
  assessment: Assessment,
  patience: Patience,
  { recoverWindows }: PlannerConfig,
): Verification {
  const { outcome, command } = known;
  const appliedAtMs = outcome!.atMs;
  const isEvidence = assessment.coverage === 1 && assessment.requests > 0;
  if (assessment.startMs < appliedAtMs + patience.stabilizeMs || !isEvidence) return undefined;
  const ratio = assessment.errors / assessment.requests;
  const { errorsSli, latencySli } = assessment;
  const isFailing = errorsSli.verdict === 'fail' || latencySli.verdict === 'fail';
  const isGone = isOutOfSight(command, assessment);
  const isHealthy = isGone && errorsSli.verdict === 'pass' && latencySli.verdict === 'pass';
  known.healthyWindows = isHealthy ? known.healthyWindows + 1 : 0;
  const afterText = `errors ${percent(ratio)}, p95 ${assessment.p95Ms?.toFixed(0) ?? '-'} ms`;
  if (known.healthyWindows >= recoverWindows) {
    return {
      status: 'verified',
      sentence: `${afterText} over ${recoverWindows} windows: the ${command.action.type} helped`,
    };
  }
  if (isFailing && isGone && ratio > known.errorRatioBefore + HARM_RATIO) {
    return { status: 'harmful', sentence: `${afterText}, worse than ${percent(known.errorRatioBefore)} before` };
  }
  const waitedMs = assessment.endMs - appliedAtMs;
  if (waitedMs <= patience.stabilizeMs + patience.windowMs || !isFailing) return undefined;
  return { status: 'ineffective', sentence: `${afterText}, ${seconds(waitedMs)} after the effect: it did not help` };
}

/** Whether what a command took away gets no requests any more. */
function isOutOfSight({ action }: Command, { versions, instances = [] }: Assessment): boolean {
  switch (action.type) {
    case 'rollback':
      return !versions.some(({ version, requests }) => version === action.fromVersion && requests > 0);
    case 'isolate':
      return !instances.some(({ instance, requests }) => instance === action.instance && requests > 0);
    case 'throttle':
      return true;
  }
}
