import { AppError, RejectedError, UnavailableError } from '@flyball/core';
import { post, type Reply } from '@flyball/outbound';
import type { Request } from './requests.ts';

/** Answers that are about what was sent: it is of no use to send the same again. */
const UNACCEPTABLE = new Set([400, 413, 415, 422]);
const RETRY_AFTER_MAX_MS = 15 * 60_000;

/**
 * Sends a request once.
 *
 * @throws {UnavailableError} `NOTIFY_UNAVAILABLE`: nobody answered, or the receiver cannot now, or does not let us; send it again, after
 * `detail.retryAfterMs` at least where that is given. It may have been taken.
 * @throws {RejectedError} `NOTIFY_REFUSED`: the receiver does not take this body.
 */
export async function deliver({ to, outgoing }: Request, deadlineMs: number): Promise<Reply> {
  const reply = await post(to, outgoing, AbortSignal.timeout(deadlineMs)).catch((cause: unknown) => {
    throw new UnavailableError('NOTIFY_UNAVAILABLE', 'the connection does not answer', { cause });
  });
  const { status, retryAfter } = reply;
  if (status >= 200 && status < 300) return reply;
  const message = `the connection answered ${status}`;
  if (UNACCEPTABLE.has(status)) throw new RejectedError('NOTIFY_REFUSED', message, { detail: { status } });
  throw new UnavailableError('NOTIFY_UNAVAILABLE', message, {
    detail: { status, retryAfterMs: retryAfterMs(retryAfter) },
  });
}

/** How long the receiver asks us to wait, ms; 0 when it does not. */
export function retryAfterOf(error: unknown): number {
  const asked = error instanceof AppError ? error.detail['retryAfterMs'] : 0;
  return typeof asked === 'number' ? asked : 0;
}

function retryAfterMs(header: string): number {
  const seconds = Number(header);
  return header !== '' && seconds > 0 ? Math.min(seconds * 1_000, RETRY_AFTER_MAX_MS) : 0;
}
