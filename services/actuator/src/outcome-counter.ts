import type { Outcome } from '@flyball/contracts';
import { Counter, type Registry } from 'prom-client';

/** Counts outcomes by status, in `flyball_actuator_outcomes_total`. */
export function outcomeCounter(registry: Registry): (outcome: Outcome) => void {
  const outcomes = new Counter({
    name: 'flyball_actuator_outcomes_total',
    help: 'Commands by what became of them.',
    labelNames: ['status'],
    registers: [registry],
  });
  return ({ status }) => outcomes.inc({ status });
}
