import type { AuditView } from '@flyball/api';
import type { AuditedFact } from '@flyball/contracts';

/** An audited fact in a line. */
export interface FactLine {
  readonly type: string;
  readonly actor: string;
  readonly place: string;
  readonly sentence: string;
}

/** An audited fact for people. One of a later release is shown by its type. */
export function factLine(fact: AuditedFact): FactLine {
  const actor = 'actor' in fact ? fact.actor : '';
  return { type: fact.type, actor, place: placeOf(fact), sentence: sentenceOf(fact) };
}

function placeOf(fact: AuditedFact): string {
  if ('subject' in fact) return `${fact.subject.environment} / ${fact.subject.service}`;
  if ('target' in fact && 'environment' in fact.target) return `${fact.target.environment} / ${fact.target.name}`;
  if ('service' in fact) return `${fact.environment} / ${fact.service}`;
  return 'environment' in fact ? fact.environment : '';
}

function sentenceOf(fact: AuditedFact): string {
  switch (fact.type) {
    case 'pause':
    case 'resume':
      return `automation ${fact.type === 'pause' ? 'paused' : 'resumed'}${fact.reason === '' ? '' : `: ${fact.reason}`}`;
    case 'policy':
      return `policy ${fact.name}, digest ${fact.digest.slice(0, 12)}`;
    case 'binding':
      return `is ${fact.target.driver} ${fact.target.name}`;
    case 'change':
      return `${fact.kind} ${fact.version} ${fact.summary}`.trim();
    case 'slo':
      return `promises ${Number((fact.objectiveRatio * 100).toPrecision(9))} % ${fact.thresholdMs === undefined ? 'without error' : `within ${fact.thresholdMs} ms`}`;
    case 'approve':
    case 'deny':
      return `${fact.commandId}${fact.reason === '' ? '' : `: ${fact.reason}`}`;
    case 'silence':
    case 'freeze':
      return `until ${new Date(fact.untilMs).toISOString()}: ${fact.reason}`;
    case 'note':
      return `of ${fact.incidentId}: ${fact.text}`;
    case 'feedback':
      return `${fact.incidentId} was ${fact.verdict}${fact.cause === '' ? '' : `, it was ${fact.cause}`}${fact.reason === '' ? '' : `: ${fact.reason}`}`;
    case 'command':
      return fact.decision.sentence;
    case 'claim':
      return `${fact.commandId} is taken by actuator ${fact.run.slice(0, 8)}`;
    case 'outcome':
      return `${fact.commandId} ${fact.status}${fact.reason === null ? '' : ` (${fact.reason})`}: ${fact.before} → ${fact.after} ${fact.detail}`.trim();
    case 'judgement':
      return `${fact.commandId} ${fact.status}: ${fact.sentence}`;
    default:
      return fact.type;
  }
}

/** The first entry, from the oldest on, that does not follow from the one before it; `undefined` when all do. */
export function breakOf(newestFirst: readonly AuditView[]): number | undefined {
  for (const [index, entry] of newestFirst.entries()) {
    const before = newestFirst[index + 1];
    if (before !== undefined && (entry.seq !== before.seq + 1 || entry.prevHash !== before.hash)) return entry.seq;
  }
  return undefined;
}
