import type { ControlMessage, FeedbackWord } from '@flyball/contracts';
import type { Remark } from './remark-schemas.ts';

/** Incidents of which remarks are kept; the one that was spoken of first goes. */
const INCIDENTS_MAX = 1_000;
/** Remarks on one incident that are taken. */
export const REMARKS_MAX = 200;

/** Notes and feedback as the words on record say them. The first word of an id counts. */
export class RemarkWords {
  readonly #remarks = new Map<string, Remark[]>();

  /** Takes in a word; others than notes and feedback say nothing here. Answers whether it is news of its incident. */
  hear(word: ControlMessage, atMs: number): boolean {
    if (word.type !== 'note' && word.type !== 'feedback') return false;
    const known = this.#remarks.get(word.incidentId) ?? [];
    if (known.length >= REMARKS_MAX || known.some(({ remarkId }) => remarkId === word.remarkId)) return false;
    known.push(remarkOf(word, atMs));
    this.#remarks.set(word.incidentId, known);
    if (this.#remarks.size > INCIDENTS_MAX) this.#remarks.delete(this.#remarks.keys().next().value!);
    return true;
  }

  /** Of an incident, oldest first. */
  of(incidentId: string): readonly Remark[] {
    return this.#remarks.get(incidentId) ?? [];
  }

  /** Incidents of which people last said so. */
  count(verdict: FeedbackWord['verdict']): number {
    const last = [...this.#remarks.values()].map((list) => list.findLast((remark) => remark.type === 'feedback'));
    return last.filter((remark) => remark?.type === 'feedback' && remark.verdict === verdict).length;
  }
}

function remarkOf(word: Extract<ControlMessage, { type: 'note' | 'feedback' }>, atMs: number): Remark {
  const { remarkId, actor } = word;
  if (word.type === 'note') return { type: 'note', remarkId, actor, atMs, text: word.text };
  const { verdict, cause, reason } = word;
  return { type: 'feedback', remarkId, actor, atMs, verdict, cause, reason };
}
