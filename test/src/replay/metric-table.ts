import { Prng } from '@flyball/core';

/** A fault of a service in a table of metrics. */
interface TableFault {
  readonly service: string;
  readonly type: 'cpu' | 'memory leak' | 'delay' | 'loss';
}

/** A shop that is known by its metrics alone, as a monitoring system exports them. */
export interface MetricTable {
  readonly environment: string;
  readonly seed: number;
  /** What goes wrong from `faultAtMs` on; `undefined`: nothing does. */
  readonly fault?: TableFault;
}

/** Who calls whom, callees last. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  frontend: ['ads', 'cart', 'checkout', 'currency', 'catalog', 'recommendation', 'shipping'],
  checkout: ['cart', 'currency', 'email', 'payment', 'catalog', 'shipping'],
  recommendation: ['catalog'],
  cart: ['store'],
  ...{ ads: [], currency: [], email: [], payment: [], catalog: [], shipping: [], store: [] },
};
export const TABLE_SERVICES = Object.keys(CALLS);
export const TABLE_START_MS = Date.UTC(2026, 0, 5, 9);
const STEP_MS = 10_000;
const ROWS = 120;
export const FAULT_AT_MS = TABLE_START_MS + (ROWS / 2) * STEP_MS;
/** A leak takes so many rows to four times what was used. */
const LEAK_ROWS = 12;

/** The table as lines of the Collector's `file` exporter: a line per row, a gauge per service and metric, without units. */
export function tableLines({ environment, seed, fault }: MetricTable): string[] {
  const dice = new Prng(seed);
  const spread = (sigma: number) => Math.exp(sigma * dice.normal());
  const usual = new Map(
    TABLE_SERVICES.map((service) => {
      const usage = { cpu: 0.02 + 0.3 * dice.unit(), memory: 3e7 * (1 + 9 * dice.unit()) };
      return [service, { ...usage, load: 5 + 45 * dice.unit(), latency: 0.002 + 0.018 * dice.unit() }];
    }),
  );
  return Array.from({ length: ROWS }, (_, row) => {
    const atMs = TABLE_START_MS + row * STEP_MS;
    const isOf = (service: string, type: TableFault['type']) =>
      atMs >= FAULT_AT_MS && fault?.service === service && fault.type === type;
    const busy = 1 + 0.1 * Math.sin(row / 10);
    const latencies = new Map<string, number>();
    for (const service of TABLE_SERVICES.toReversed()) {
      const slow = isOf(service, 'cpu') ? 2 : 1;
      const late = isOf(service, 'delay') ? 0.2 : isOf(service, 'loss') ? 0.04 : 0;
      latencies.set(service, slow * usual.get(service)!.latency * spread(0.05) + late);
    }
    const whole = (service: string): number =>
      latencies.get(service)! + CALLS[service]!.reduce((sum, callee) => sum + whole(callee) / 2, 0);
    const resourceMetrics = TABLE_SERVICES.map((service) => {
      const { cpu, memory, load } = usual.get(service)!;
      const calls = load * busy * spread(0.03);
      const leaked = isOf(service, 'memory leak') ? Math.min(3, (3 * (atMs - FAULT_AT_MS)) / (LEAK_ROWS * STEP_MS)) : 0;
      return resourceOf(environment, service, atMs, {
        cpu: cpu * busy * spread(0.06) + (isOf(service, 'cpu') ? 0.8 : 0),
        mem: memory * (1 + leaked) * spread(0.01),
        load: calls,
        'latency-50': whole(service) * spread(0.02),
        'latency-90': 2 * whole(service) * spread(0.06),
        error: (dice.chance(0.08) ? 0.1 : 0) + (isOf(service, 'loss') ? 0.05 * calls : 0),
      });
    });
    return JSON.stringify({ resourceMetrics });
  });
}

function resourceOf(environment: string, service: string, atMs: number, values: Readonly<Record<string, number>>) {
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const metrics = Object.entries(values).map(([name, asDouble]) => ({
    name,
    gauge: { dataPoints: [{ timeUnixNano: `${atMs}000000`, asDouble }] },
  }));
  const attributes = [attribute('service.name', service), attribute('deployment.environment.name', environment)];
  return { resource: { attributes }, scopeMetrics: [{ metrics }] };
}
