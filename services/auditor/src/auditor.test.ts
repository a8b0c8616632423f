import { type AuditEntry, type TrailMessage, verifyChain } from '@flyball/contracts';
import type { Outbox } from '@flyball/runtime';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Auditor, type AuditorOut } from './auditor.ts';

// Goal: each tenant can check its own chain whatever the others did, and whoever was restarted. Method: facts of several
// tenants in random order, with restarts, against the list of what was told.

const factOf = (tenant: string, nth: number): TrailMessage => {
  const fact = { type: 'pause' as const, wordId: `w${nth}`, actor: 'cli', tenant, reason: '' };
  return { type: 'trail', tenant, from: 'flyball.control/0', atMs: nth, fact };
};

test('every fact is in the chain of its tenant, in order, and every chain holds', () => {
  const step = fc.record({ tenant: fc.constantFrom('a', 'b', 'default', '__proto__'), restarts: fc.boolean() });
  const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    let auditor = new Auditor();
    const entries: AuditEntry[] = [];
    const outbox: Outbox<AuditorOut> = {
      emit: (_topic, key, body) => {
        expect(key).toBe(body.tenant);
        entries.push(body);
      },
      broadcast: () => undefined,
      reject: () => undefined,
    };
    const facts = steps.map(({ tenant }, nth) => factOf(tenant, nth));
    facts.forEach((body, offset) => {
      auditor.process({ offset, epoch: 0, atMs: offset, key: '', provenance: undefined, body }, outbox);
      if (!steps[offset]!.restarts) return;
      const snapshot = auditor.snapshot();
      auditor = new Auditor();
      auditor.restore(snapshot);
    });
    for (const tenant of new Set(facts.map((fact) => fact.tenant))) {
      const chain = entries.filter((entry) => entry.tenant === tenant);
      expect(verifyChain(chain).firstBad).toBeNull();
      expect(chain.map(({ body }) => JSON.parse(body) as unknown)).toEqual(
        facts.filter((fact) => fact.tenant === tenant),
      );
    }
  });
  fc.assert(property);
});
