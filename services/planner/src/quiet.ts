import type { FreezeWord, Incident, SilenceWord } from '@flyball/contracts';
import { matchesPattern } from '@flyball/policy';
import type { EnvironmentState } from './environment.ts';

/** Most silences, and most freezes, of an environment. */
const QUIET_MAX = 200;

/** Takes in a silence. One with the same id takes the place of the one before. */
export function addSilence(state: EnvironmentState, word: SilenceWord, nowMs: number): void {
  const others = state.silences.filter(({ silenceId, untilMs }) => silenceId !== word.silenceId && untilMs > nowMs);
  state.silences = [...others, word].slice(-QUIET_MAX);
}

/** Takes in a freeze. One with the same id takes the place of the one before. */
export function addFreeze(state: EnvironmentState, word: FreezeWord, nowMs: number): void {
  const others = state.freezes.filter(({ freezeId, untilMs }) => freezeId !== word.freezeId && untilMs > nowMs);
  state.freezes = [...others, word].slice(-QUIET_MAX);
}

/** The silence of a service that ends last, if it has one now. */
export function silenceOf(state: EnvironmentState, service: string, nowMs: number): SilenceWord | undefined {
  return state.silences
    .filter((each) => each.untilMs > nowMs && matchesPattern(each.service, service))
    .reduce<SilenceWord | undefined>(
      (last, each) => (last === undefined || each.untilMs > last.untilMs ? each : last),
      undefined,
    );
}

/** The freeze that an instant lies in, if any. */
export function freezeOf(state: EnvironmentState, nowMs: number): FreezeWord | undefined {
  return state.freezes.find(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
}

/** Until when nobody is told of an incident, ms: a silence of the service that is blamed, or of all that signal. */
export function silencedUntilMs(state: EnvironmentState, incident: Incident, nowMs: number): number | null {
  const [cause] = incident.causes;
  const services =
    cause === undefined ? incident.signals.map(({ subject }) => subject.service) : [cause.subject.service];
  const ends = services.map((service) => silenceOf(state, service, nowMs)?.untilMs ?? null);
  if (ends.length === 0 || ends.includes(null)) return null;
  return Math.min(...ends.map((endMs) => endMs ?? Infinity));
}
