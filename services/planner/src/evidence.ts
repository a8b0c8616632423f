import type { AnomalyKind, Objective, Signal } from '@flyball/contracts';
import { amount, objectiveText } from './sentences.ts';

/** In times what a series needs to signal. Beyond it more is hardly more certain: it tells who is hit most. */
const CERTAIN_STRENGTH = 8;
const STRENGTH_MAX = 12;

/**
 * What a signal says of where the trouble is. `local`: the service itself, whatever it calls. `symptom`: the service as its
 * callers see it, which what it calls may explain.
 */
export interface Evidence {
  readonly signal: Signal;
  readonly service: string;
  readonly kind: AnomalyKind;
  readonly isLocal: boolean;
  /** Times the evidence that a series needs to signal; beyond 8 each decade counts one. */
  readonly strength: number;
}

/** Kinds that a service has of itself, when a metric tells of them. */
const OWN_KINDS: readonly AnomalyKind[] = ['cpu', 'memory', 'network', 'saturation'];

/** A signal as evidence. */
export function evidenceOf(signal: Signal): Evidence {
  const { subject, kind, series, version, score } = signal;
  const isOwn = /^(self|gap|log|instance) /.test(series) || version !== '' || OWN_KINDS.includes(kind);
  return { signal, service: subject.service, kind, isLocal: isOwn, strength: strengthOf(score) };
}

/** Undoes the score: `x / (1 + x)` for x times the evidence that a series needs. */
function strengthOf(score: number): number {
  const times = score >= 1 ? Infinity : score / (1 - score);
  if (times <= CERTAIN_STRENGTH) return times;
  return Math.min(STRENGTH_MAX, CERTAIN_STRENGTH + Math.log10(times / CERTAIN_STRENGTH));
}

/** A signal as a reason, for people. */
export function reasonOf({ signal }: Evidence): string {
  if (signal.objective !== undefined) return promiseBroken(signal, signal.objective);
  const { series, instance, observed, expected, unit, requests } = signal;
  const where = instance === '' ? '' : ` on ${instance}`;
  const count = requests > 0 ? ` (n=${requests})` : '';
  return `${series}${where} ${amount(observed, unit)} against ${amount(expected, unit)}${count}`;
}

function promiseBroken({ series, observed, expected, bad, requests }: Signal, objective: Objective): string {
  const rates = `${observed.toFixed(1)} times as fast as its budget allows, ${expected.toFixed(1)} alarms`;
  return `${series} ${rates} (${bad} of ${requests}; ${objectiveText(objective)})`;
}
