import type { MetricShare, PartialsMessage } from '@flyball/contracts';
import { expect, test } from 'vitest';
import { AggregatorConfig } from './config.ts';
import { WindowMerger } from './window-merger.ts';

// Goal: what is remembered of metric streams is bounded, and nobody who still reports is forgotten. Method: a service whose streams
// have other attributes in every window, but for one.

const METRICS_MAX = 5;
const config = AggregatorConfig.parse({ metricsMax: METRICS_MAX, graceMs: 0 });
const BASE_MS = 1_700_000_000_000;
const subject = { tenant: 'default', environment: 'prod', service: 'cart' };

test('streams that come and go take room for a few windows only', () => {
  const merger = new WindowMerger(config, {
    kind: 'metrics',
    lane: 'global:flyball.partials/0',
    origins: ['otlp_metrics/0'],
  });
  const rates: number[] = [];
  const outbox = {
    emit: (_topic: string, _key: string, body: { metrics?: readonly { attributes: string; value: number }[] }) => {
      rates.push(...(body.metrics ?? []).filter(({ attributes }) => attributes === 'a').map(({ value }) => value));
    },
    broadcast: () => undefined,
  };
  for (let window = 0; window < 80; window += 1) {
    const startMs = BASE_MS + window * config.windowMs;
    const streamOf = (attributes: string): MetricShare => {
      const points = [{ timeMs: startMs + 5_000, startMs: 0, value: window * 100, count: 0 }];
      return { metric: 'calls', unit: '1', type: 'cumulative', attributes, instance: '', points, traceId: '' };
    };
    const metrics = ['a', 'b', 'c', 'd', 'e'].map((name) => streamOf(name === 'a' ? 'a' : `user=${name}${window}`));
    const about = { kind: 'metrics' as const };
    merger.take({ ...about, type: 'partial', subject, startMs, spans: 5, series: [], metrics }, outbox as never);
    const step = { ...about, type: 'time', from: 'otlp_metrics/0', atMs: startMs + config.windowMs };
    merger.take({ ...step, blind: [], refusedTenants: [], reports: [] } as PartialsMessage, outbox as never);
  }
  expect(merger.save().last[0]![1].length).toBeLessThanOrEqual(4 * METRICS_MAX);
  expect(rates).toEqual(new Array(79).fill(10));
});
