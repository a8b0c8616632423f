import { ChangeWord } from '@flyball/contracts';
import { z } from 'zod';
import { ServiceSummary } from './schemas.ts';

/** Calls from one service to another of the same environment, over the newest windows. */
export const GraphEdge = z.object({
  caller: z.string(),
  callee: z.string(),
  requests: z.int(),
  errors: z.int(),
  /** As the caller saw them. */
  p95Ms: z.number().nullable(),
});
export type GraphEdge = z.infer<typeof GraphEdge>;

export const ServiceGraph = z.object({
  nodes: z.array(ServiceSummary.pick({ service: true, state: true })),
  edges: z.array(GraphEdge),
});
export type ServiceGraph = z.infer<typeof ServiceGraph>;

/** What was changed in the world, as somebody told it. */
export const ChangeView = ChangeWord.pick({
  changeId: true,
  actor: true,
  environment: true,
  service: true,
  kind: true,
  version: true,
  summary: true,
}).extend({ atMs: z.number() });
export type ChangeView = z.infer<typeof ChangeView>;

/** How well one service can be seen, over the newest windows. */
export const SightView = ServiceSummary.pick({ id: true, environment: true, service: true, state: true }).extend({
  lastSeenAtMs: z.number().nullable(),
  /** The least of the newest windows, 0 to 1. */
  coverage: z.number(),
  /** Windows that were looked at. */
  windows: z.int(),
  spans: z.int(),
  /** Came after their window was closed. */
  lateSpans: z.int(),
  /** Came from the future. */
  earlySpans: z.int(),
});
export type SightView = z.infer<typeof SightView>;
