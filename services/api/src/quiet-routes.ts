import { DEFAULT_TENANT } from '@flyball/contracts';
import { HOUR_MS, MINUTE_MS } from '@flyball/core';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { HttpProblem } from './problems.ts';
import type { TypedServer } from './read-routes.ts';
import { Id } from './schemas.ts';
import type { ApiPorts } from './server.ts';

/** The longest silence and freeze: who is quiet for longer has forgotten it. */
const UNTIL_MS_MAX = 7 * 24 * HOUR_MS;
/** A word must have time to take effect. */
const UNTIL_MS_MIN = MINUTE_MS;

const name = z.string().min(1).max(200);
const reason = z.string().trim().min(1, 'say why').max(1_000);
const about = { id: z.string(), environment: z.string(), reason: z.string(), untilMs: z.number(), actor: z.string() };
const SilenceView = z.object({ ...about, service: z.string() });
export type SilenceView = z.infer<typeof SilenceView>;
const FreezeView = z.object({ ...about, fromMs: z.number() });
export type FreezeView = z.infer<typeof FreezeView>;
const SilenceRequest = z.strictObject({
  environment: name,
  /** A literal, or a beginning and `*`. */
  service: z
    .string()
    .regex(/^[^*]{0,200}\*?$/, 'a literal, or a beginning followed by *')
    .min(1),
  reason,
  untilMs: z.number(),
});
const FreezeRequest = z.strictObject({ environment: name, reason, fromMs: z.number().optional(), untilMs: z.number() });
const listOf = <Schema extends z.ZodType>(schema: Schema) =>
  z.object({ items: z.array(schema), isRebuilding: z.boolean() });
const Said = z.object({ wordId: z.string() });

/** `GET|POST /v1/silences` and `/v1/freezes`, and `DELETE` of one: when people are not told, and when nothing is done. */
export function quietRoutes(app: TypedServer, { model, words }: ApiPorts): void {
  const tenant = DEFAULT_TENANT;
  app.get('/v1/silences', { schema: { response: { 200: listOf(SilenceView) } } }, async () => {
    const items = model.quiet.silences(Date.now());
    return { items: items.map(({ silenceId: id, ...rest }) => ({ id, ...rest })), isRebuilding: model.isBehind };
  });
  app.post(
    '/v1/silences',
    { schema: { body: SilenceRequest, response: { 201: SilenceView } } },
    async ({ body, actor }, reply) => {
      requireEnd(body.untilMs);
      const id = `s-${randomUUID()}`;
      await words.say({ type: 'silence', tenant, actor, ...body, silenceId: id });
      return reply.status(201).send({ id, ...body, actor });
    },
  );
  app.delete(
    '/v1/silences/:id',
    { schema: { params: Id, response: { 200: Said } } },
    async ({ params: { id }, actor }) => {
      const known = model.quiet.silences(Date.now()).find(({ silenceId }) => silenceId === id);
      if (known === undefined) throw missing('silence', id);
      return words.say({ type: 'unsilence', tenant, actor, environment: known.environment, silenceId: id });
    },
  );
  app.get('/v1/freezes', { schema: { response: { 200: listOf(FreezeView) } } }, async () => {
    const items = model.quiet.freezes(Date.now());
    return { items: items.map(({ freezeId: id, ...rest }) => ({ id, ...rest })), isRebuilding: model.isBehind };
  });
  app.post(
    '/v1/freezes',
    { schema: { body: FreezeRequest, response: { 201: FreezeView } } },
    async ({ body, actor }, reply) => {
      requireEnd(body.untilMs);
      const fromMs = body.fromMs ?? Date.now();
      if (fromMs >= body.untilMs) {
        throw new HttpProblem(422, 'END_INVALID', 'it would end before it begins', 'Say a fromMs before untilMs.');
      }
      const id = `f-${randomUUID()}`;
      await words.say({ type: 'freeze', tenant, actor, ...body, fromMs, freezeId: id });
      return reply.status(201).send({ id, ...body, fromMs, actor });
    },
  );
  app.delete(
    '/v1/freezes/:id',
    { schema: { params: Id, response: { 200: Said } } },
    async ({ params: { id }, actor }) => {
      const known = model.quiet.freezes(Date.now()).find(({ freezeId }) => freezeId === id);
      if (known === undefined) throw missing('freeze', id);
      return words.say({ type: 'unfreeze', tenant, actor, environment: known.environment, freezeId: id });
    },
  );
}

function missing(what: string, id: string): HttpProblem {
  return new HttpProblem(404, 'NOT_FOUND', `no ${what} ${id}`, `GET /v1/${what}s lists what there is.`);
}

/** What never ends, or is over already, is a mistake. */
function requireEnd(untilMs: number): void {
  const leftMs = untilMs - Date.now();
  if (leftMs >= UNTIL_MS_MIN && leftMs <= UNTIL_MS_MAX) return;
  const fix = 'Say untilMs, in ms since 1970, from a minute to seven days from now.';
  throw new HttpProblem(422, 'END_INVALID', 'it would end too soon, or too late', fix);
}
