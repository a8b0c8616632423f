import type { Callers, Signal, SignalsMessage } from '@flyball/contracts';
import { expect, test } from 'vitest';
import { type Heard, instant, Listener, signalled } from './fleet.ts';

// Goal: metrics wake people for what is short or broken, and not because one of thousands is unusual. Method: signals of metrics as
// detectors send them, in a fleet that is well otherwise: web calls checkout, checkout calls payment; stock stands alone.

const SINCE_MS = 20_000;
const heard = (body: SignalsMessage): Heard => ({ atMs: 5_000, body });
const calls = (caller: string, service: string): Callers => ({
  type: 'callers',
  subject: { tenant: 'default', environment: 'demo', service },
  callers: [caller],
  endMs: 4_000,
});

/** A metric that is off by so many times what it needs to signal. */
function off(service: string, metric: string, times: number, observed = 1): Signal {
  const [kind, unit] = METRICS[metric]!;
  return {
    ...signalled(service, 22_000, SINCE_MS),
    ...{ kind, unit, observed, series: metric, episodeId: `e-${service}-${metric}` },
    ...{ sli: null, detector: 'gauge@1', score: times / (1 + times), log10E: 3.6 * times },
  };
}
const METRICS: Readonly<Record<string, readonly [Signal['kind'], string]>> = {
  'container.cpu.limit_utilization': ['cpu', '1'],
  'container.cpu.usage': ['cpu', '{cpu}'],
  'container.network.receive.rate': ['network', 'By/s'],
  'http.server.request.duration': ['latency', 's'],
};
const [UTILIZATION, CPU, NETWORK, LATENCY] = Object.keys(METRICS) as [string, string, string, string];

test.each<[string, readonly Signal[], boolean]>([
  ['most of a limit, far from usual', [off('stock', UTILIZATION, 4, 0.8)], true],
  ['a third of a limit, far from usual', [off('stock', UTILIZATION, 4, 0.3)], false],
  ['a twentieth of a core, far from usual', [off('stock', CPU, 4, 0.05)], false],
  ['most of a limit, hardly unusual', [off('stock', UTILIZATION, 2, 0.8)], false],
  ['the same, and its requests take longer', [off('stock', UTILIZATION, 2, 0.8), off('stock', LATENCY, 1.5)], true],
  ['traffic of a network, and longer requests', [off('stock', NETWORK, 8), off('stock', LATENCY, 1.5)], false],
  ['long requests of one service', [off('payment', LATENCY, 8)], false],
  ['long requests of a service and of its caller', [off('payment', LATENCY, 8), off('web', LATENCY, 1.5)], true],
  ['long requests of strangers', [off('payment', LATENCY, 8), off('stock', LATENCY, 1.5)], false],
])('%s', (_name, signals, opens) => {
  const planner = new Listener().hear(heard(calls('web', 'checkout')), heard(calls('checkout', 'payment')));
  planner.live(instant(20_000), instant(22_000, {}, signals));
  expect(planner.incident !== undefined).toBe(opens);
});

test('among those who suffer the one is first that suffers most in its own terms', () => {
  const planner = new Listener();
  planner.live(instant(20_000), instant(22_000, {}, [off('web', LATENCY, 14), off('payment', LATENCY, 60)]));
  expect(planner.incident!.causes.map(({ subject }) => subject.service)).toEqual(['payment', 'web']);
});

test('a processor explains more than how much goes over the network', () => {
  const planner = new Listener();
  const signals = [off('payment', NETWORK, 12), off('payment', LATENCY, 8), off('web', UTILIZATION, 3, 0.9)];
  planner.live(instant(20_000), instant(22_000, {}, signals));
  expect(planner.incident!.causes.map(({ subject, kind }) => `${subject.service} ${kind}`)).toEqual([
    'payment latency',
    'web cpu',
  ]);
});
