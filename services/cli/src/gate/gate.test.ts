import type { Assessment } from '@flyball/contracts';
import { expect, test } from 'vitest';
import type { ApiClient } from '../api-client.ts';
import { gate } from './gate.ts';

// Goal: what was well when it could last be seen is no yes now. Method: a client that answers one assessment after another.

const WINDOW_MS = 1_000;
const sli = { verdict: 'pass', reason: 'healthy', observed: 0, expected: 0, log10E: 0, bad: 0, requests: 100 };
const canary = { version: 'v2', role: 'canary', verdict: 'pass', errorsSli: sli, latencySli: sli };
const seen = { coverage: 1, versions: [{ version: 'v1', role: 'stable' }, canary], baseline: { state: 'learned' } };
const blind = { ...seen, coverage: 0.5, versions: [] };

/** The answer to who watches for a moment; each look finds the next assessment, whose window ended so long ago. */
function answerTo(...looks: readonly (readonly [agoMs: number, of: object])[]) {
  const left = [...looks];
  const service = async () => {
    const [agoMs, of] = left.length > 1 ? left.shift()! : left[0]!;
    const endMs = Date.now() - agoMs;
    return { assessment: { ...of, startMs: endMs - WINDOW_MS, endMs } as unknown as Assessment };
  };
  const services = async () => [{ id: 'prod:cart', environment: 'prod', service: 'cart' }];
  const client = { services, service } as unknown as ApiClient;
  return gate(client, { service: 'cart', environment: 'prod', version: 'v2', forMs: 30 }, () => undefined);
}

test('a version that was well before Flyball went blind is not answered yes', async () => {
  expect(await answerTo([40_000, seen], [0, seen])).toMatchObject({ verdict: 'pass' });
  expect(await answerTo([5_000, seen], [0, blind])).toMatchObject({ verdict: 'pass' });
  expect(await answerTo([40_000, seen], [0, blind])).toMatchObject({
    verdict: 'insufficient',
    reason: 'no complete telemetry for 40 s: v2 cannot be seen',
  });
  expect(await answerTo([40_000, seen])).toMatchObject({ verdict: 'insufficient' });
});
