import { DEFAULT_TENANT, subjectKey, subjectOf } from '@flyball/contracts';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { HttpProblem } from './problems.ts';
import { AuditView, CommandDetail, Id, KillSwitchView, Limit, ServiceDetail, ServiceSummary } from './schemas.ts';
import type { ApiPorts } from './server.ts';
import { auditOf, commandOf, detailOf, summaryOf } from './views.ts';

/** How many services an id with colons in its names may mean. */
const READINGS_MAX = 8;

/** Routes typed by their zod schemas. */
export type TypedServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** A list as it is answered. */
export const listOf = <Schema extends z.ZodType>(schema: Schema) =>
  z.object({ items: z.array(schema), isRebuilding: z.boolean() });

/** What a path of something that is not there answers. */
export function missing(what: string, id: string): HttpProblem {
  return new HttpProblem(404, 'NOT_FOUND', `no ${what} ${id}`, `GET /v1/${what}s lists what there is.`);
}

/** `GET /v1/services|commands|audit` and `/{id}`, newest first, and the kill switch. */
export function readRoutes(app: TypedServer, { model }: ApiPorts): void {
  const list = <T>(items: readonly T[]) => ({ items: [...items], isRebuilding: model.isBehind });

  app.get('/v1/services', { schema: { response: { 200: listOf(ServiceSummary) } } }, async () => {
    const [views, isRebuilding] = await Promise.all([model.services(), model.isRebuilding()]);
    const rows = views.map((view) => summaryOf(subjectOf(view.key), view));
    return { items: rows.sort((a, b) => (a.id < b.id ? -1 : 1)), isRebuilding };
  });
  app.get(
    '/v1/services/:id',
    { schema: { params: Id, response: { 200: ServiceDetail } } },
    async ({ params: { id } }) => {
      for (const key of keysCalled(id)) {
        const view = await model.service(key);
        if (view === undefined) continue;
        const subject = subjectOf(key);
        const windows = await model.windows(key, 'traces');
        return detailOf(summaryOf(subject, view), view, windows, model.objectives.of(subject));
      }
      throw missing('service', id);
    },
  );
  app.get(
    '/v1/commands',
    { schema: { querystring: Limit, response: { 200: listOf(CommandDetail) } } },
    async ({ query: { limit } }) => {
      return list([...model.commands.values()].reverse().slice(0, limit).map(commandOf));
    },
  );
  app.get(
    '/v1/commands/:id',
    { schema: { params: Id, response: { 200: CommandDetail } } },
    async ({ params: { id } }) => {
      const command = model.commands.get(id);
      if (command === undefined) throw missing('command', id);
      return commandOf(command);
    },
  );
  app.get(
    '/v1/audit',
    { schema: { querystring: Limit, response: { 200: listOf(AuditView) } } },
    async ({ query: { limit } }) => {
      return list([...model.audit.toArray()].reverse().slice(0, limit).map(auditOf));
    },
  );
  app.get('/v1/audit/:id', { schema: { params: Id, response: { 200: AuditView } } }, async ({ params: { id } }) => {
    const entry = model.audit.toArray().find(({ seq }) => String(seq) === id);
    if (entry === undefined)
      throw new HttpProblem(404, 'NOT_FOUND', `no audit entry ${id}`, 'GET /v1/audit lists the newest ones.');
    return auditOf(entry);
  });
  app.get('/v1/killswitch', { schema: { response: { 200: KillSwitchView } } }, async () => {
    const known = model.killSwitch.get('default');
    const said = known ?? { isPaused: true, actor: '', reason: 'no word on record', atMs: null };
    return { ...said, isRebuilding: model.isBehind };
  });
}

/** Keys that an id in a path may stand for: the id as it is, or as the router has decoded it. */
export function keysCalled(id: string): ReadonlySet<string> {
  const keys = new Set<string>();
  for (let colon = id.indexOf(':'); colon >= 0 && keys.size < READINGS_MAX; colon = id.indexOf(':', colon + 1)) {
    const [environment, service] = [id.slice(0, colon), id.slice(colon + 1)];
    keys.add(subjectKey({ tenant: DEFAULT_TENANT, environment: decoded(environment), service: decoded(service) }));
    keys.add(subjectKey({ tenant: DEFAULT_TENANT, environment, service }));
  }
  return keys;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
