import type { Incident } from '@flyball/contracts';
import { listOf, missing, type TypedServer } from './read-routes.ts';
import { IncidentView } from './remark-schemas.ts';
import { Id, Limit } from './schemas.ts';
import type { ApiPorts } from './server.ts';

/** `GET /v1/incidents` and `/{id}`, newest first, with what people have said of them. */
export function incidentRoutes(app: TypedServer, { model }: ApiPorts): void {
  const viewOf = (incident: Incident): IncidentView => {
    return { ...incident, remarks: [...model.remarks.of(incident.incidentId)] };
  };
  app.get(
    '/v1/incidents',
    { schema: { querystring: Limit, response: { 200: listOf(IncidentView) } } },
    async ({ query: { limit } }) => {
      const newest = [...model.incidents.values()].reverse().slice(0, limit);
      return { items: newest.map(viewOf), isRebuilding: model.isBehind };
    },
  );
  app.get(
    '/v1/incidents/:id',
    { schema: { params: Id, response: { 200: IncidentView } } },
    async ({ params: { id } }) => {
      const incident = model.incidents.get(id);
      if (incident === undefined) throw missing('incident', id);
      return viewOf(incident);
    },
  );
}
