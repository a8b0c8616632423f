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

/**
 * Ends what nobody has answered in time, and what gates held back until then though it was approved: a yes is to what was shown, not
 * to what will be hours later. Returns whether any was.
 *
 * @param isIssued - whether a command was issued.
 */
export function expire(incident: Incident, nowMs: number, isIssued: (commandId: string) => boolean): boolean {
  let any = false;
  for (const decision of incident.decisions) {
    const { approval } = decision;
    if (!approval || nowMs < approval.expiresAtMs) continue;
    const { status, commandId, actor, wordId, answeredAtMs } = approval;
    if (status === 'pending') {
      end(incident, decision, nowMs, 'nobody has answered in time');
    } else if (status === 'approved' && !isIssued(commandId)) {
      settle(decision, 'expired', { actor, wordId, answeredAtMs });
      tell(incident, nowMs, 'approval', `${commandId} expired: ${actor} approved it, and it was held back until now`);
    } else continue;
    any = true;
  }
  return any;
}

/** Ends what need not be answered any more. */
export function endQuestions(incident: Incident, nowMs: number): void {
  for (const decision of incident.decisions) {
    if (decision.approval?.status === 'pending') end(incident, decision, nowMs, 'it is not needed any more');
  }
}

function end(incident: Incident, decision: Decision, nowMs: number, why: string): void {
  settle(decision, 'expired', { actor: '', wordId: '', answeredAtMs: nowMs });
  tell(incident, nowMs, 'approval', `${decision.approval!.commandId} expired: ${why}`);
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
