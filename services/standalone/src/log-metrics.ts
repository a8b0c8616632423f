import type { EmbeddedLog } from '@flyball/log-embedded';
import { Gauge, type Registry } from 'prom-client';

/** How full the log is, read when somebody asks. */
export function logMetrics(registry: Registry, log: EmbeddedLog): void {
  new Gauge({
    name: 'flyball_log_used_bytes',
    help: 'Bytes that the embedded log uses.',
    registers: [registry],
    async collect() {
      this.set((await log.usage()).usedBytes);
    },
  });
}
