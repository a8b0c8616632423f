import type { Assessment, Calm, Signal } from '@flyball/contracts';
import type { DetectorConfig } from './config.ts';
import { onCalm, onFinding, type SeriesEpisodesState } from './series-episodes.ts';

/** Signals of instances that fail where their siblings do not, and that such a failure is over. */
export function instanceSignals(
  { subject, endMs, instances = [] }: Assessment,
  episodes: SeriesEpisodesState,
  config: DetectorConfig,
): (Signal | Calm)[] {
  const sight = { subject, endMs, config };
  return instances.flatMap(({ instance, errorsSli, latencySli }) =>
    [
      { kind: 'errors' as const, unit: '1', sli: errorsSli },
      { kind: 'latency' as const, unit: 'ms', sli: latencySli },
    ].flatMap(({ kind, unit, sli }): (Signal | Calm)[] => {
      const series = `instance ${instance} ${kind}`;
      if (sli.verdict !== 'fail') return onCalm(episodes, series, sight);
      const { observed, expected, log10E, bad, requests, sinceMs } = sli;
      const about = { kind, series, instance, unit, sinceMs: sinceMs ?? endMs };
      const numbers = { observed: observed ?? 0, expected: expected ?? 0, log10E, bad, requests };
      const detector = { alarmLog10E: config.alarmLog10E, traceId: '', detector: 'instance@1' };
      return onFinding(episodes, { ...about, ...numbers, ...detector }, sight);
    }),
  );
}
