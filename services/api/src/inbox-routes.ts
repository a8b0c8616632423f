import { MINUTE_MS } from '@flyball/core';
import { Readable } from 'node:stream';
import { missing, type TypedServer } from './read-routes.ts';
import { Id } from './schemas.ts';
import type { ApiPorts } from './server.ts';

/** So much before an incident its services, callers and earlier actions are looked at too, ms. */
const LEAD_MS = 30 * MINUTE_MS;
/** What is decided after it was closed is another incident's. */
const TAIL_MS = MINUTE_MS;

/**
 * `GET /v1/incidents/{id}/inbox`: what the planner was told around an incident, as JSON lines. Who decides over it again with
 * another policy sees what that would have done.
 */
export function inboxRoutes(app: TypedServer, { model }: ApiPorts): void {
  app.get('/v1/incidents/:id/inbox', { schema: { params: Id } }, async ({ params: { id } }, reply) => {
    const incident = model.incidents.get(id);
    if (incident === undefined) throw missing('incident', id);
    const { openedAtMs, startedAtMs, closedAtMs } = incident;
    const range = {
      fromMs: Math.min(openedAtMs, startedAtMs) - LEAD_MS,
      toMs: closedAtMs === null ? Date.now() : closedAtMs + TAIL_MS,
    };
    return reply.type('application/x-ndjson').send(Readable.from(model.inbox(incident, range)));
  });
}
