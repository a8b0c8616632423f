import type { Remark } from '@flyball/api';

/** Feedback for people: `wrong, it was payment: its pool was full`. */
export function feedbackText({ verdict, cause, reason }: Extract<Remark, { type: 'feedback' }>): string {
  return `${verdict}${cause === '' ? '' : `, it was ${cause}`}${reason === '' ? '' : `: ${reason}`}`;
}
