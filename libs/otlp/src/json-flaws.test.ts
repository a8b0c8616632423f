import { expect, test } from 'vitest';
import { MetricScan } from './metric-scan.ts';
import { encodeMetricsJson } from './metrics-json.ts';
import { TraceScan } from './trace-scan.ts';
import { encodeTracesJson } from './traces-json.ts';

// Goal: of what cannot be read every point is counted, once. Method: a metric that is bad as a whole, and one with a bad point.

const points = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ timeUnixNano: index + 1, asDouble: 1 }));

test('a metric that cannot be read is told of with all its points, and beside it those of others one by one', () => {
  const told: [string, number][] = [];
  const metrics = [
    { name: 'a', sum: { dataPoints: [...points(50), { timeUnixNano: -1 }], aggregationTemporality: 'OFTEN' } },
    { name: 'b', gauge: { dataPoints: [...points(3), { timeUnixNano: -1 }] } },
    { name: 5 as never, gauge: { dataPoints: points(7) } },
  ];
  const request = encodeMetricsJson([{ scopeMetrics: [{ metrics }] }], (where, _why, items) =>
    told.push([where, items]),
  );
  const place = 'resourceMetrics[0].scopeMetrics[0].metrics';
  expect(told).toEqual([
    [`${place}[0]`, 51],
    [`${place}[1].gauge.dataPoints[3]`, 1],
    [`${place}[2]`, 7],
  ]);
  const scan = new MetricScan();
  scan.read(request);
  expect(scan.count).toBe(3);
});

test('a number beyond what its field holds costs its own item, and no other', () => {
  const told: string[] = [];
  const ids = { traceId: '1'.repeat(32), spanId: '1'.repeat(16) };
  const traces = encodeTracesJson([{ scopeSpans: [{ spans: [{ ...ids, kind: 1e30 }, ids] }] }], (where) =>
    told.push(where),
  );
  const gauge = { dataPoints: [{ ...points(1)[0]!, flags: 1e30 }, ...points(1)] };
  const metrics = encodeMetricsJson([{ scopeMetrics: [{ metrics: [{ name: 'a', gauge }] }] }], (where) =>
    told.push(where),
  );
  expect(told.map((where) => where.replace(/.*\]\./, ''))).toEqual(['spans[0]', 'gauge.dataPoints[0]']);
  const [spans, all] = [new TraceScan(), new MetricScan()];
  spans.read(traces);
  all.read(metrics);
  expect([spans.count, all.count]).toEqual([1, 1]);
});
