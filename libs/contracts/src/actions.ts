import { z } from 'zod';

/** Bring a service back to a version that was well. */
const RollbackAction = z.object({
  type: z.literal('rollback'),
  toVersion: z.string(),
  /** What must be in place for the order to make sense; else it is rejected as `precondition`. */
  fromVersion: z.string(),
});

/** What a throttle lets through: a share of the requests, above 0 and below 1; or so many requests per second. */
export const ThrottleLimit = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ratio'), value: z.number().gt(0).lt(1) }),
  z.object({ kind: z.literal('rps'), value: z.number().positive() }),
]);
export type ThrottleLimit = z.infer<typeof ThrottleLimit>;

/** Let only a part of a service's requests through. Never without an end: a throttle that is forgotten is an outage. */
const ThrottleAction = z.object({ type: z.literal('throttle'), limit: ThrottleLimit });

/** Take one instance of a service out of rotation. It goes on running, for whoever wants to look at it. */
const IsolateAction = z.object({ type: z.literal('isolate'), instance: z.string() });

/** What a command does to its target. */
export const Action = z.discriminatedUnion('type', [RollbackAction, ThrottleAction, IsolateAction]);
export type Action = z.infer<typeof Action>;

/** What undoes an action. It changes only what that very command has set. */
export const Inverse = z.discriminatedUnion('type', [
  z.object({ type: z.literal('unthrottle') }),
  z.object({ type: z.literal('readmit'), instance: z.string() }),
]);
export type Inverse = z.infer<typeof Inverse>;

/** What undoes an action, or `null`: a rollback is not undone, it is followed by another release. */
export function inverseOf(action: Action): Inverse | null {
  switch (action.type) {
    case 'rollback':
      return null;
    case 'throttle':
      return { type: 'unthrottle' };
    case 'isolate':
      return { type: 'readmit', instance: action.instance };
  }
}

/** An action on a service for people: `throttle web to 50 % of its requests`. */
export function actionText(action: Action, service: string): string {
  switch (action.type) {
    case 'rollback':
      return `rollback ${service} ${action.fromVersion} -> ${action.toVersion || 'unknown'}`;
    case 'throttle': {
      const { kind, value } = action.limit;
      const limit =
        kind === 'ratio' ? `${Number((value * 100).toPrecision(3))} % of its requests` : `${value} requests/s`;
      return `throttle ${service} to ${limit}`;
    }
    case 'isolate':
      return `isolate ${service} instance ${action.instance}`;
  }
}
