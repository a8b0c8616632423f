import { isToken } from '@flyball/host';
import { z } from 'zod';
import { requireCaller, requireOwnPage } from './callers.ts';
import { HttpProblem } from './problems.ts';
import type { TypedServer } from './read-routes.ts';
import type { ApiPorts } from './server.ts';
import type { Sessions } from './sessions.ts';

const SignInRequest = z.strictObject({ token: z.string().min(1).max(1_000) });
const SessionView = z.object({ isOpen: z.boolean() });
const TicketView = z.object({ ticket: z.string(), expiresAtMs: z.number() });

/** `POST /v1/session/tickets` for a link to the console; `POST|DELETE /v1/session` to sign in with the token, and out. */
export function sessionRoutes(app: TypedServer, { token }: ApiPorts, sessions: Sessions): void {
  app.post('/v1/session/tickets', { schema: { response: { 201: TicketView } } }, async (request, reply) => {
    requireCaller(request, token, sessions);
    return reply.status(201).send(sessions.ticket(Date.now()));
  });
  app.post(
    '/v1/session',
    { schema: { body: SignInRequest, response: { 200: SessionView } } },
    async ({ headers, body }, reply) => {
      requireOwnPage(headers);
      if (!isToken(body.token.trim(), token)) {
        const fix = 'The token is in DIR/token, or in FLYBALL_TOKEN; "flyball console" prints a link that needs none.';
        throw new HttpProblem(401, 'UNAUTHORIZED', 'this is not the token of this Flyball', fix);
      }
      return reply.header('set-cookie', sessions.open(Date.now())).send({ isOpen: true });
    },
  );
  app.delete('/v1/session', { schema: { response: { 200: SessionView } } }, async ({ headers }, reply) => {
    requireOwnPage(headers);
    return reply.header('set-cookie', sessions.end()).send({ isOpen: false });
  });
}
