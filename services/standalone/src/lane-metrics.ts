import type { LaneLoop } from '@flyball/host';
import type { EmbeddedLog } from '@flyball/log-embedded';
import type { TopicBodies } from '@flyball/runtime';
import { Gauge, type Registry } from 'prom-client';

/** Metrics of all lanes and of the log, read when somebody asks. */
export function laneMetrics(
  registry: Registry,
  loops: readonly LaneLoop<unknown, TopicBodies>[],
  log: EmbeddedLog,
): void {
  new Gauge({
    name: 'flyball_lane_lag_records',
    help: 'Records in the inbox of a lane that it has not read yet.',
    labelNames: ['lane'],
    registers: [registry],
    async collect() {
      for (const loop of loops) this.set({ lane: loop.lane }, (await loop.health()).lag);
    },
  });
  new Gauge({
    name: 'flyball_lane_running',
    help: '1 while a lane runs, 0 while it fails or opens.',
    labelNames: ['lane'],
    registers: [registry],
    async collect() {
      for (const loop of loops) this.set({ lane: loop.lane }, (await loop.health()).state === 'running' ? 1 : 0);
    },
  });
  new Gauge({
    name: 'flyball_log_used_bytes',
    help: 'Bytes that the embedded log uses.',
    registers: [registry],
    async collect() {
      this.set((await log.usage()).usedBytes);
    },
  });
}
