import { ChangeWord, DEFAULT_TENANT } from '@flyball/contracts';
import { contentId, RejectedError } from '@flyball/core';
import { driverProblem } from '@flyball/policy';
import { z } from 'zod';
import type { TypedServer } from './read-routes.ts';
import { BindingRequest, ChangeRequest, PauseRequest } from './schemas.ts';
import type { ApiPorts } from './server.ts';

const Said = z.object({ wordId: z.string() });

/** Routes that put words on record: changes, bindings, the kill switch. On answer the word is durable. */
export function wordRoutes(app: TypedServer, { words, drivers }: ApiPorts): void {
  const tenant = DEFAULT_TENANT;
  app.post(
    '/v1/changes',
    { schema: { body: ChangeRequest, response: { 201: ChangeWord } } },
    async ({ body, actor }, reply) => {
      const { environment, service, kind, version } = body;
      const changeId = body.changeId ?? contentId('chg', [environment, service, kind, version, Date.now()]);
      const word = await words.say({ type: 'change', tenant, actor, ...body, changeId });
      return reply.status(201).send(word as ChangeWord);
    },
  );
  app.put('/v1/bindings', { schema: { body: BindingRequest, response: { 200: Said } } }, async ({ body, actor }) => {
    const problem = driverProblem(body.target.driver, drivers);
    if (problem !== '') {
      const hint = 'Correct the name, or name a connection of kind target in the connections file and start again.';
      throw new RejectedError('DRIVER_UNKNOWN', problem, { hint });
    }
    return words.say({ type: 'binding', tenant, actor, ...body });
  });
  app.put(
    '/v1/killswitch',
    { schema: { body: PauseRequest.nullish(), response: { 200: Said } } },
    async ({ body, actor }) => {
      return words.say({ type: 'pause', tenant, actor, reason: body?.reason ?? '' });
    },
  );
  app.delete(
    '/v1/killswitch',
    { schema: { body: PauseRequest.nullish(), response: { 200: Said } } },
    async ({ body, actor }) => {
      return words.say({ type: 'resume', tenant, actor, reason: body?.reason ?? '' });
    },
  );
}
