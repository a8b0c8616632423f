import { DEFAULT_TENANT, type Incident } from '@flyball/contracts';
import { z } from 'zod';
import { AnswerRequest, ApprovalView } from './approval-schemas.ts';
import { HttpProblem } from './problems.ts';
import type { TypedServer } from './read-routes.ts';
import type { ApiPorts } from './server.ts';

const CommandId = z.object({ commandId: z.string().min(1).max(200) });
const Said = z.object({ wordId: z.string() });

/** `GET /v1/approvals`, newest first, and the answers to them. An answer is durable when it is acknowledged; the planner says whether it counts. */
export function approvalRoutes(app: TypedServer, { model, words }: ApiPorts): void {
  app.get(
    '/v1/approvals',
    { schema: { response: { 200: z.object({ items: z.array(ApprovalView), isRebuilding: z.boolean() }) } } },
    async () => ({ items: approvalsOf(model.incidents.values(), Date.now()), isRebuilding: model.isBehind }),
  );
  app.post(
    '/v1/approvals/:commandId',
    { schema: { params: CommandId, body: AnswerRequest, response: { 202: Said } } },
    async ({ params: { commandId }, body: { verdict, digest, reason }, actor }, reply) => {
      const asked = approvalsOf(model.incidents.values(), Date.now()).find((each) => each.commandId === commandId);
      requireOpen(asked, commandId, digest);
      const about = { tenant: DEFAULT_TENANT, actor, commandId, digest, reason };
      const { wordId } = await words.say({ type: verdict, ...about });
      return reply.status(202).send({ wordId });
    },
  );
}

function requireOpen(asked: ApprovalView | undefined, commandId: string, digest: string): void {
  if (asked === undefined) {
    throw new HttpProblem(
      404,
      'NOT_FOUND',
      `nobody is asked about ${commandId}`,
      'GET /v1/approvals lists what is asked.',
    );
  }
  if (asked.digest !== digest) {
    const fix = 'GET /v1/approvals again, look at what is asked now, and answer with its digest.';
    throw new HttpProblem(409, 'APPROVAL_CHANGED', 'the answer names another order than what is asked', fix);
  }
  if (asked.status === 'expired') {
    const fix = 'No answer in time is a no. If the trouble goes on, what is done next is asked anew.';
    throw new HttpProblem(410, 'APPROVAL_EXPIRED', `the time to answer ${commandId} is over`, fix);
  }
  if (asked.status !== 'pending') {
    const fix = 'The first answer counts; GET /v1/approvals says whose it was.';
    throw new HttpProblem(409, 'APPROVAL_DECIDED', `${commandId} was ${asked.status} by ${asked.actor}`, fix);
  }
}

/** What was asked in some incidents, the newest first. What is past its time is over, whether or not the planner has said so yet. */
function approvalsOf(incidents: Iterable<Incident>, nowMs: number): ApprovalView[] {
  const views = [...incidents].flatMap(({ incidentId, environment, decisions }) =>
    decisions.flatMap(({ approval, action, policy }): ApprovalView[] => {
      if (approval === null) return [];
      const isOver = approval.status === 'pending' && nowMs >= approval.expiresAtMs;
      const status = isOver ? 'expired' : approval.status;
      return [{ ...approval, status, incidentId, environment, action, policy: `${policy.name}@${policy.version}` }];
    }),
  );
  return views.sort((a, b) => b.requestedAtMs - a.requestedAtMs);
}
