import { DEFAULT_TENANT } from '@flyball/contracts';
import { contentId } from '@flyball/core';
import { randomUUID } from 'node:crypto';
import { Gauge } from 'prom-client';
import { z } from 'zod';
import { HttpProblem } from './problems.ts';
import { missing, type TypedServer } from './read-routes.ts';
import { FeedbackRequest, NoteRequest, type Remark } from './remark-schemas.ts';
import { REMARKS_MAX } from './remark-words.ts';
import { Id } from './schemas.ts';
import type { ApiPorts } from './server.ts';

const Taken = z.object({ remarkId: z.string() });
type Said = Pick<Remark, 'type'> & { readonly text?: string; readonly verdict?: string; readonly cause?: string };

/** `POST /v1/incidents/{id}/notes|feedback`: what people say of an incident. It is on record, and changes nothing that is decided. */
export function remarkRoutes(app: TypedServer, { model, words, registry }: ApiPorts): void {
  new Gauge({
    name: 'flyball_incident_feedback',
    help: 'Incidents, of the newest thousand that people have spoken of, of which they last said that Flyball was right, or wrong.',
    labelNames: ['verdict'],
    registers: [registry],
    collect() {
      for (const verdict of ['right', 'wrong'] as const) this.set({ verdict }, model.remarks.count(verdict));
    },
  });
  const tenant = DEFAULT_TENANT;
  app.post(
    '/v1/incidents/:id/notes',
    { schema: { params: Id, body: NoteRequest, response: { 200: Taken, 201: Taken } } },
    async ({ params: { id: incidentId }, body: { key, ...body }, actor }, reply) => {
      const { environment, remarkId, isSaid } = place(incidentId, { type: 'note', ...body }, key);
      if (isSaid) return { remarkId };
      await words.say({ type: 'note', tenant, actor, environment, incidentId, remarkId, ...body });
      return reply.status(201).send({ remarkId });
    },
  );
  app.post(
    '/v1/incidents/:id/feedback',
    { schema: { params: Id, body: FeedbackRequest, response: { 200: Taken, 201: Taken } } },
    async ({ params: { id: incidentId }, body: { key, ...body }, actor }, reply) => {
      const { environment, remarkId, isSaid } = place(incidentId, { type: 'feedback', ...body }, key);
      if (isSaid) return { remarkId };
      await words.say({ type: 'feedback', tenant, actor, environment, incidentId, remarkId, ...body });
      return reply.status(201).send({ remarkId });
    },
  );

  /** Where a remark belongs, and whether it was made before under this key. */
  function place(incidentId: string, said: Said, key: string | undefined) {
    const environment = model.incidents.get(incidentId)?.environment;
    if (environment === undefined) throw missing('incident', incidentId);
    const remarkId = key === undefined ? `r-${randomUUID()}` : contentId('r', [incidentId, key]);
    const known = model.remarks.of(incidentId);
    const before = known.find((remark) => remark.remarkId === remarkId);
    if (before !== undefined) requireSame(before, said);
    else if (known.length >= REMARKS_MAX) throw full(incidentId);
    return { environment, remarkId, isSaid: before !== undefined };
  }
}

function requireSame(before: Remark, said: Said): void {
  if (Object.entries(said).every(([name, value]) => before[name as keyof Remark] === value)) return;
  throw new HttpProblem(
    409,
    'REMARK_KEY_REUSED',
    'something else was said under this key',
    'Say it under another key, or without one.',
  );
}

function full(incidentId: string): HttpProblem {
  return new HttpProblem(
    409,
    'REMARKS_FULL',
    `${incidentId} has ${REMARKS_MAX} notes and answers already`,
    'Write the rest where your team writes, and link it in the ones that are there.',
  );
}
