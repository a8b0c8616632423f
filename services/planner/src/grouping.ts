import type { AnomalyKind, Incident, Signal } from '@flyball/contracts';
import { MINUTE_MS } from '@flyball/core';
import type { PlannerConfig } from './config.ts';
import type { EnvironmentState, OpenIncident } from './environment.ts';
import { evidenceOf } from './evidence.ts';
import { areRelated, isCallOf, reaches } from './graph.ts';

/**
 * The open incident that a signal belongs to, or `undefined`: then it is of another trouble. What begins about when the incident
 * began belongs to it if one of the two calls the other. Later, only what the incident explains does: callers that fail because
 * of its cause, and the same trouble of the same service.
 */
export function incidentOf(signal: Signal, state: EnvironmentState, config: PlannerConfig): OpenIncident | undefined {
  return (
    state.incidents.find(({ incident }) => incident.signals.some(({ episodeId }) => episodeId === signal.episodeId)) ??
    state.incidents.findLast(({ incident }) => explains(incident, signal, state, config))
  );
}

function explains(incident: Incident, signal: Signal, { callers }: EnvironmentState, config: PlannerConfig): boolean {
  const { service } = signal.subject;
  const services = new Set(incident.signals.map(({ subject }) => subject.service));
  // Of a blackout nobody knows what it hides.
  if (services.size === 0) return false;
  const isSame = services.has(service);
  if (signal.sinceMs <= incident.startedAtMs + config.joinMs) {
    return isSame || [...services].some((each) => areRelated(callers, each, service));
  }
  const [cause] = incident.causes;
  if (cause === undefined) return isSame;
  if (!evidenceOf(signal).isLocal) return isSame || reaches(callers, service, cause.subject.service);
  return service === cause.subject.service && (signal.kind === cause.kind || signal.version === cause.version);
}

/**
 * Whether a signal alone is a reason to open an incident. A change of traffic is not, unless a service fell silent that is
 * still called by services that are heard; and a metric must be far off: there are many of them.
 */
export function opensIncident(signal: Signal, state: EnvironmentState, config: PlannerConfig): boolean {
  const { kind, detector, subject, series, endMs } = signal;
  if (kind === 'traffic') return series === 'traffic drop' && isLeftAlone(subject.service, state);
  // What burnt in an incident that is over is still missing in the budget.
  if (detector.startsWith('burn@'))
    return endMs - (state.services.get(subject.service)?.closedAtMs ?? -Infinity) >= BURN_MEMORY_MS;
  if (detector.startsWith('gauge')) return isStrong(signal, state, config);
  return true;
}

/** The longest window that a budget alone is judged by to go on burning. */
const BURN_MEMORY_MS = 30 * MINUTE_MS;

/**
 * There are many metrics, and one of a hundred is always off: it takes much, or a second kind of trouble of the same service.
 * Latencies and errors are as their callers see them: of one service alone, where few requests come, they are noise.
 */
function isStrong(signal: Signal, { episodes, callers }: EnvironmentState, config: PlannerConfig): boolean {
  const { kind, subject, sinceMs } = signal;
  const { service } = subject;
  if (EXPLAINING.includes(kind) || !isScarce(signal)) return false;
  const near = [...episodes.values()].filter((other) => Math.abs(other.sinceMs - sinceMs) <= 2 * config.joinMs);
  const own = near.filter((other) => other.subject.service === service);
  if (own.some((other) => other.kind !== kind && !EXPLAINING.includes(other.kind) && isScarce(other))) return true;
  if (evidenceOf(signal).strength < config.gaugeStrengthMin) return false;
  if (!SEEN_BY_CALLERS.includes(kind)) return true;
  return near.some(
    (other) =>
      other.subject.service !== service &&
      SEEN_BY_CALLERS.includes(other.kind) &&
      isCallOf(callers, service, other.subject.service),
  );
}

/** Kinds that explain trouble and are none by themselves. */
const EXPLAINING: readonly AnomalyKind[] = ['network', 'traffic', 'unknown'];
const SEEN_BY_CALLERS: readonly AnomalyKind[] = ['latency', 'errors'];

/** Below this share of what there is, and below so many cores, nothing is short. */
const SCARCE_RATIO = 0.5;
const SCARCE_CPU = 0.1;

/** Whether a level, if it is one of a resource, is such that it may be short of it. */
function isScarce({ detector, kind, series, unit, observed }: Signal): boolean {
  if (!detector.startsWith('gauge')) return true;
  if (kind === 'cpu' && unit === '{cpu}') return observed >= SCARCE_CPU;
  if (!RESOURCES.includes(kind) || !/utili[sz]ation|percent|ratio/i.test(series)) return true;
  return unit === '%' ? observed >= 100 * SCARCE_RATIO : unit !== '1' || observed >= SCARCE_RATIO;
}

const RESOURCES: readonly AnomalyKind[] = ['cpu', 'memory', 'saturation'];

function isLeftAlone(service: string, { services, callers, blindSinceMs }: EnvironmentState): boolean {
  const known = (callers.get(service) ?? []).map((caller) => services.get(caller));
  return (
    blindSinceMs === null &&
    services.get(service)?.silentSinceMs !== null &&
    known.length > 0 &&
    known.every((caller) => caller !== undefined && caller.silentSinceMs === null)
  );
}
