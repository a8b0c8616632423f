import { auditCodec, trailCodec } from '@flyball/contracts';
import type { AnyLaneSpec, Line } from '@flyball/runtime';
import { Auditor } from './auditor.ts';

/** The auditor's one processor. */
export function auditorSpecs(line: Line): readonly AnyLaneSpec[] {
  return [
    line.spec({
      name: 'auditor',
      create: () => new Auditor(),
      inbox: line.inbox('flyball.trail', trailCodec),
      outboxes: { 'flyball.audit': line.outlet('flyball.audit', auditCodec) },
    }),
  ];
}
