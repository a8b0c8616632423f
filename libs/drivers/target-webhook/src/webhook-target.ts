import type { Command, Target } from '@flyball/contracts';
import { UnavailableError } from '@flyball/core';
import { post, type Reply, signedHeaders, type TargetConnection } from '@flyball/outbound';
import type { Applied, Inverted, TargetDriver, TargetState } from '@flyball/runtime';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';

const READ_TIMEOUT_MS = 5_000;
/** Errors of a connection that was never made: surely nothing was done. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'WEBHOOK_BLOCKED',
]);

const text = z.string().max(1_000);
const Shown = z.object({ text, versions: z.array(text).max(100) });
const about = { before: text.default(''), after: text.default(''), detail: text.default('') };
const AppliedAnswer = z.object({
  status: z.enum(['applied', 'stale_generation', 'precondition', 'failed']),
  ...about,
});
const InvertedAnswer = z.object({ status: z.enum(['done', 'gone', 'failed']), ...about });
const HasAnswer = z.object({ isInPlace: z.boolean() });

/** {@link TargetDriver} of whatever listens at a connection. */
export class WebhookTarget implements TargetDriver {
  readonly name: string;
  readonly fencing: TargetConnection['fencing'];
  readonly #connection: TargetConnection;

  constructor(connection: TargetConnection) {
    this.name = `webhook:${connection.name}`;
    this.fencing = connection.fencing;
    this.#connection = connection;
  }

  async read(target: Target): Promise<TargetState> {
    return this.#look(Shown, { type: 'read', target });
  }

  async apply({ commandId, target, generation, action, ttlMs }: Command, signal: AbortSignal): Promise<Applied> {
    const order = { type: 'apply', target, commandId, generation, action, ttlMs };
    const reply = await this.#send(order, signal);
    if (reply.status === 200) return parse(AppliedAnswer, reply);
    return { status: 'failed', before: '', after: '', detail: `the webhook answered ${reply.status}` };
  }

  async invert({ commandId, target, inverse }: Command, doneRatio: number, signal: AbortSignal): Promise<Inverted> {
    const reply = await this.#send({ type: 'invert', target, commandId, inverse, doneRatio }, signal);
    if (reply.status === 200) return parse(InvertedAnswer, reply);
    return { status: 'failed', before: '', after: '', detail: `the webhook answered ${reply.status}` };
  }

  async has({ commandId, target }: Command): Promise<boolean> {
    return (await this.#look(HasAnswer, { type: 'has', target, commandId })).isInPlace;
  }

  /** Asks what changes nothing. */
  async #look<Schema extends z.ZodType>(schema: Schema, question: object): Promise<z.infer<Schema>> {
    try {
      const reply = await this.#send(question, AbortSignal.timeout(READ_TIMEOUT_MS));
      if (reply.status === 200) return parse(schema, reply);
      throw new UnavailableError('TARGET_UNAVAILABLE', `the webhook answered ${reply.status}`);
    } catch (cause) {
      if (cause instanceof UnavailableError && cause.code === 'TARGET_UNAVAILABLE') throw cause;
      throw new UnavailableError('TARGET_UNAVAILABLE', 'the webhook does not answer', { cause });
    }
  }

  /**
   * Sends once. Answers of 5xx are no answers: the receiver itself does not know. Nor are 408, of whoever is between, and what is a
   * success without the answer that was asked for: the order may have been carried out.
   */
  async #send(body: object, signal: AbortSignal): Promise<Reply> {
    const reply = await this.#post(JSON.stringify(body), signal).catch((cause: unknown) => {
      const isUnsent = NEVER_SENT.has(codeOf(cause));
      const code = isUnsent ? 'TARGET_UNAVAILABLE' : 'TARGET_UNKNOWN';
      const why = isUnsent ? 'the webhook cannot be reached' : 'the webhook did not answer';
      const more = cause instanceof Error ? `: ${cause.message}` : '';
      throw new UnavailableError(code, `${why}${more}`, { cause });
    });
    const { status } = reply;
    const isAnswer = status === 200 || (status >= 300 && status < 500 && status !== 408);
    if (!isAnswer) throw new UnavailableError('TARGET_UNKNOWN', `the webhook answered ${status}`);
    return reply;
  }

  #post(body: string, signal: AbortSignal): Promise<Reply> {
    const { secret } = this.#connection;
    return post(
      this.#connection,
      { body, headers: signedHeaders(secret, { id: randomUUID(), body, nowMs: Date.now() }) },
      signal,
    );
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, { body }: Reply): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(body));
  } catch (cause) {
    throw new UnavailableError('TARGET_UNKNOWN', 'the answer of the webhook cannot be read', { cause });
  }
}

function codeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return '';
}
