import { Gauge, type Registry } from 'prom-client';
import type { LaneHealth } from './lane-loop.ts';

/** Metrics of all lanes of a process, read when somebody asks. An autoscaler goes by `flyball_lag_seconds`. */
export function laneMetrics(registry: Registry, health: () => Promise<readonly LaneHealth[]>): void {
  const gauges: [string, string, (lane: LaneHealth) => number][] = [
    ['flyball_lag_records', 'Records in the inbox of a lane that it has not read yet.', ({ lag }) => lag],
    ['flyball_lag_seconds', 'Age of the oldest record that a lane has not read yet.', ({ lagSeconds }) => lagSeconds],
    [
      'flyball_lane_running',
      '1 while a lane runs, 0 while it opens, rests or fails.',
      ({ state }) => (state === 'running' ? 1 : 0),
    ],
    [
      'flyball_lane_ahead',
      '1 while a lane waits for slower lanes of its processor, a minute behind it or more.',
      ({ isAhead }) => (isAhead ? 1 : 0),
    ],
    [
      'flyball_lane_unclean',
      '1 while a lane goes on from a cut that nobody had closed it at.',
      ({ isUnclean }) => (isUnclean ? 1 : 0),
    ],
  ];
  for (const [name, help, valueOf] of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ['lane'],
      registers: [registry],
      async collect() {
        this.reset();
        for (const lane of await health()) this.set({ lane: lane.lane }, valueOf(lane));
      },
    });
  }
}
