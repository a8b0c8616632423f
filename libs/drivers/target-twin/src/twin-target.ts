import type { Command, Target } from '@flyball/contracts';
import { UnavailableError } from '@flyball/core';
import type { Applied, Inverted, TargetDriver, TargetState } from '@flyball/runtime';
import { z } from 'zod';

const ANSWER_BYTES_MAX = 64 * 1024;
const READ_TIMEOUT_MS = 5_000;

const Rollout = z.object({
  stable: z.string(),
  canary: z.string().nullable(),
  canaryRatio: z.number().min(0).max(1),
  lastCommandId: z.string(),
  throttle: z.object({ commandId: z.string() }).nullable(),
  isolated: z.array(z.object({ commandId: z.string() })),
  text: z.string(),
});
const Done = z.object({ before: z.string(), after: z.string() });
const Refused = z.object({ code: z.enum(['stale_generation', 'precondition', 'gone']), message: z.string() });

/** {@link TargetDriver} of the digital twin. */
export class TwinTarget implements TargetDriver {
  readonly name = 'twin';
  readonly fencing = 'generation';
  readonly #url: string;

  /** @param url - base URL of the twin's API. */
  constructor(url: string) {
    this.#url = url;
  }

  async read(target: Target): Promise<TargetState> {
    const { stable, canary, canaryRatio, text } = await this.#rollout(target);
    if (canary === null) return { text, versions: [stable] };
    return { text, versions: canaryRatio > 0.5 ? [canary, stable] : [stable, canary] };
  }

  async apply({ commandId, target, generation, action }: Command, signal: AbortSignal): Promise<Applied> {
    const { type: verb, ...rest } = action;
    const { status, body } = await this.#tell(target, verb, { commandId, generation, ...rest }, signal);
    if (status === 200) return { status: 'applied', ...parse(Done, body), detail: '' };
    if (status === 409) {
      const { code, message } = parse(Refused, body);
      return { status: code === 'gone' ? 'precondition' : code, before: '', after: '', detail: message };
    }
    return { status: 'failed', before: '', after: '', detail: `the twin answered ${status}` };
  }

  async invert({ commandId, target }: Command, doneRatio: number, signal: AbortSignal): Promise<Inverted> {
    const { status, body } = await this.#tell(target, 'release', { commandId, doneRatio }, signal);
    if (status === 200) return { status: 'done', ...parse(Done, body), detail: '' };
    if (status === 409) return { status: 'gone', before: '', after: '', detail: parse(Refused, body).message };
    return { status: 'failed', before: '', after: '', detail: `the twin answered ${status}` };
  }

  async has({ commandId, target }: Command): Promise<boolean> {
    const { lastCommandId, throttle, isolated } = await this.#rollout(target);
    const inPlace = [lastCommandId, throttle?.commandId, ...isolated.map((each) => each.commandId)];
    return inPlace.includes(commandId);
  }

  async #tell(target: Target, verb: string, order: object, signal: AbortSignal) {
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(order), signal };
    const answer = await this.#request(`${pathOf(target)}/${verb}`, init);
    if (answer.status >= 500) throw new UnavailableError('TARGET_UNKNOWN', `the twin answered ${answer.status}`);
    return answer;
  }

  async #rollout(target: Target): Promise<z.infer<typeof Rollout>> {
    const signal = AbortSignal.timeout(READ_TIMEOUT_MS);
    const { status, body } = await this.#request(pathOf(target), { signal }).catch((cause: unknown) => {
      throw new UnavailableError('TARGET_UNAVAILABLE', 'the twin does not answer', { cause });
    });
    if (status !== 200) throw new UnavailableError('TARGET_UNAVAILABLE', `the twin answered ${status}`);
    return parse(Rollout, body);
  }

  async #request(path: string, init: RequestInit): Promise<{ status: number; body: unknown }> {
    try {
      const response = await fetch(`${this.#url}${path}`, { ...init, redirect: 'error' });
      const text = await response.text();
      if (text.length > ANSWER_BYTES_MAX) throw new Error('answer is too large');
      return { status: response.status, body: JSON.parse(text) as unknown };
    } catch (cause) {
      // Only a connection that was never made is certain.
      const isRefused = codeOf(cause) === 'ECONNREFUSED';
      const code = isRefused ? 'TARGET_UNAVAILABLE' : 'TARGET_UNKNOWN';
      throw new UnavailableError(code, isRefused ? 'the twin is not there' : 'the twin did not answer', { cause });
    }
  }
}

function pathOf({ environment, name }: Target): string {
  return `/rollouts/${encodeURIComponent(environment)}/${encodeURIComponent(name)}`;
}

function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new UnavailableError('TARGET_UNKNOWN', 'the answer of the twin cannot be read', { cause: result.error });
}

function codeOf(error: unknown): unknown {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return undefined;
}
