import type { AnswerWord, Approval, Decision, Incident } from '@flyball/contracts';
import { tell } from './incident-book.ts';

/** What a person was asked about a command of an incident: the newest question. */
export function approvalOf(incident: Incident | null, commandId: string): Approval | undefined {
  return decisionAsking(incident, commandId)?.approval ?? undefined;
}

/**
 * Takes in an answer. One that names another digest than what was shown, that comes after another, or too late, changes
 * nothing; that is told, too.
 *
 * @returns whether it is about something of this incident.
 */
export function answer(incident: Incident, word: AnswerWord, atMs: number): boolean {
  const { commandId, digest, actor, reason } = word;
  const decision = decisionAsking(incident, commandId);
  const approval = decision?.approval;
  if (decision === undefined || !approval) return false;
  const why = reason === '' ? '' : `: ${reason}`;
  const ignored =
    digest !== approval.digest
      ? 'it names another order than what was asked'
      : approval.status !== 'pending'
        ? `it was ${approval.status} before`
        : atMs >= approval.expiresAtMs
          ? 'it came too late'
          : undefined;
  if (ignored !== undefined) {
    tell(incident, atMs, 'approval', `${commandId}: the answer of ${actor} counts for nothing, ${ignored}`);
    return true;
  }
  settle(decision, word.type === 'approve' ? 'approved' : 'denied', { actor, wordId: word.wordId, answeredAtMs: atMs });
  tell(incident, atMs, 'approval', `${commandId} ${decision.verdict} by ${actor}${why}`);
  return true;
}

/** Ends what nobody has answered in time, or, with `isOver`, what need not be answered any more. Returns whether any was. */
export function expire(incident: Incident, nowMs: number, isOver = false): boolean {
  let any = false;
  for (const decision of incident.decisions) {
    const { approval } = decision;
    if (approval?.status !== 'pending' || (!isOver && nowMs < approval.expiresAtMs)) continue;
    settle(decision, 'expired', { actor: '', wordId: '', answeredAtMs: nowMs });
    const why = isOver ? 'it is not needed any more' : 'nobody has answered in time';
    tell(incident, nowMs, 'approval', `${approval.commandId} expired: ${why}`);
    any = true;
  }
  return any;
}

function settle(
  decision: Decision,
  status: 'approved' | 'denied' | 'expired',
  by: Pick<Approval, 'actor' | 'wordId' | 'answeredAtMs'>,
): void {
  decision.verdict = status;
  decision.approval = { ...decision.approval!, status, ...by };
}

function decisionAsking(incident: Incident | null, commandId: string): Decision | undefined {
  return incident?.decisions.findLast(({ approval }) => approval?.commandId === commandId);
}
