import { subjectOf, type Window } from '@flyball/contracts';
import { RejectedError } from '@flyball/core';
import { driverProblem, parsePolicy } from '@flyball/policy';
import { z } from 'zod';
import type { TypedServer } from './read-routes.ts';
import type { ApiPorts } from './server.ts';
import { summaryOf } from './views.ts';

/** A policy on record. */
export const PolicyView = z.object({
  name: z.string(),
  version: z.int(),
  digest: z.string(),
  autonomy: z.enum(['observe', 'suggest', 'approve', 'auto']),
  environments: z.array(z.string()),
  services: z.array(z.string()),
  action: z.string(),
  /** The YAML as written. */
  text: z.string(),
  /** Why this release cannot read it, or ''. Then it does nothing. */
  problem: z.string(),
});
export type PolicyView = z.infer<typeof PolicyView>;

/** Which target a service is. */
export const BindingView = z.object({
  environment: z.string(),
  service: z.string(),
  target: z.object({ driver: z.string(), name: z.string(), fencing: z.string().optional() }),
  /** When it was put on record, ms. */
  atMs: z.number(),
  /** Why orders to it come to nothing, or ''. */
  problem: z.string(),
});
export type BindingView = z.infer<typeof BindingView>;

/** A service whose normal is still being learned. */
export const WarmingView = z.object({
  id: z.string(),
  environment: z.string(),
  service: z.string(),
  /** Windows with requests so far, and as many as it takes. */
  windows: z.int(),
  windowsNeeded: z.int(),
  /** From when on it can raise alarms, ms, if it gets requests in every window; `null` while it has had none. */
  alarmsFromMs: z.number().nullable(),
});
export type WarmingView = z.infer<typeof WarmingView>;

const listOf = <Schema extends z.ZodType>(schema: Schema) =>
  z.object({ items: z.array(schema), isRebuilding: z.boolean() });

/** `GET /v1/policies|bindings|warming`: what Flyball was set up to do, and what it cannot judge yet. */
export function setupRoutes(app: TypedServer, { model, drivers, warmupWindows = 30 }: ApiPorts): void {
  app.get('/v1/policies', { schema: { response: { 200: listOf(PolicyView) } } }, async () => {
    return { items: model.setup.policies().map(policyOf), isRebuilding: model.isBehind };
  });
  app.get('/v1/bindings', { schema: { response: { 200: listOf(BindingView) } } }, async () => {
    const items = model.setup.bindings().map(({ environment, service, target, atMs }) => {
      return { environment, service, target, atMs, problem: driverProblem(target.driver, drivers) };
    });
    return { items, isRebuilding: model.isBehind };
  });
  app.get('/v1/warming', { schema: { response: { 200: listOf(WarmingView) } } }, async () => {
    const items: WarmingView[] = [];
    for (const view of await model.services()) {
      const { id, environment, service } = summaryOf(subjectOf(view.key), view);
      if (view.assessment?.baseline.state !== 'warming') continue;
      const windows = await model.windows(view.key, 'traces', warmupWindows);
      items.push({ id, environment, service, ...progressOf(windows, warmupWindows) });
    }
    items.sort((a, b) => (a.id < b.id ? -1 : 1));
    return { items, isRebuilding: await model.isRebuilding() };
  });
}

function policyOf({ name, digest, text }: { name: string; digest: string; text: string }): PolicyView {
  try {
    const { metadata, spec } = parsePolicy(text);
    const { environments, services } = spec.scope;
    const about = { autonomy: spec.autonomy, environments, services, action: spec.action.type };
    return { name, version: metadata.version, digest, ...about, text, problem: '' };
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    const nothing = { autonomy: 'observe' as const, environments: [], services: [], action: '' };
    return { name, version: 0, digest, ...nothing, text, problem: error.message };
  }
}

function progressOf(
  windows: readonly Window[],
  windowsNeeded: number,
): Pick<WarmingView, 'windows' | 'windowsNeeded' | 'alarmsFromMs'> {
  const learned = windows.filter(({ coverage, series }) => {
    return coverage === 1 && series.some(({ view, count }) => view === 'service' && count > 0);
  });
  const last = windows.at(-1);
  if (learned.length === 0 || last === undefined) return { windows: 0, windowsNeeded, alarmsFromMs: null };
  const left = Math.max(1, windowsNeeded - learned.length);
  return { windows: learned.length, windowsNeeded, alarmsFromMs: last.endMs + left * (last.endMs - last.startMs) };
}
