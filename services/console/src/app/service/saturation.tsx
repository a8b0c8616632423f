import type { MetricStream } from '@flyball/api';
import { type ReactNode, useMemo } from 'react';
import { inUnit, number } from '../format.ts';
import { inert } from '../parts/inert.tsx';
import { useMetrics } from '../queries.ts';
import { Chart, type ChartData } from './chart.tsx';
import type { History } from './history.ts';

/** More lines of one metric cannot be told apart. */
const LINES_MAX = 4;
/** Metrics that are charted; the rest is in the API. */
const CHARTS_MAX = 6;

/** The fourth golden signal: how full things are, as the service's own metrics tell it; a chart per metric. */
export function Saturation({ id, history }: { readonly id: string; readonly history: History }): ReactNode {
  const streams = useMetrics(id).data?.items;
  const charts = useMemo(() => chartsOf(streams ?? [], history), [streams, history]);
  if (streams === undefined) return null;
  if (charts.length === 0) {
    return (
      <p className="about">
        No metrics of this service: saturation (CPU, memory, queues) shows when its SDK exports metrics to the same
        address.
      </p>
    );
  }
  return (
    <div className="charts">
      {charts.map((data) => (
        <Chart key={data.title} data={data} />
      ))}
    </div>
  );
}

function chartsOf(streams: readonly MetricStream[], history: History): ChartData[] {
  const byMetric = [...Map.groupBy(streams, ({ metric }) => metric)].sort(
    ([, [a]], [, [b]]) => Number(b?.type === 'gauge') - Number(a?.type === 'gauge'),
  );
  return byMetric.slice(0, CHARTS_MAX).map(([metric, all]) => {
    const shown = all.slice(0, LINES_MAX);
    const atMs = [...new Set(shown.flatMap(({ points }) => points.map(({ endMs }) => endMs)))]
      .filter((endMs) => endMs > history.fromMs)
      .sort((a, b) => a - b);
    const { unit = '', type = '' } = all[0] ?? {};
    const counts = new Map(shown.flatMap(({ points }) => points.map(({ endMs, count }) => [endMs, count] as const)));
    return {
      ...history,
      title: `${inert(metric)}${unitOf(unit, type)}`,
      ...{ atMs, normal: null, least: 0 },
      lines: shown.map((stream, index) => {
        const values = new Map(stream.points.map(({ endMs, value }) => [endMs, value]));
        const name = inert(stream.instance || stream.attributes || 'value');
        return { name, color: `--line-${index + 1}`, values: atMs.map((endMs) => values.get(endMs) ?? null) };
      }),
      format: unit === '1' || unit === 'ms' ? (value: number) => inUnit(value, unit) : number,
      sampleOf: (index: number) => sampleText(counts.get(atMs[index] ?? 0) ?? 0),
    };
  });
}

/** What a gauge rests on is one reading. */
function sampleText(observations: number): string {
  return observations === 0 ? 'last reading' : `n=${observations}`;
}

/** A unit as people say it: `{request}` of what increases is `requests per second` in UCUM's own way of notes. */
function unitOf(unit: string, type: string): string {
  const name = inert(unit).replaceAll(/[{}]/g, '');
  const isRate = type === 'delta' || type === 'cumulative';
  if (name === '' || name === '1') return isRate ? ', per s' : '';
  return `, ${name}${isRate ? '/s' : ''}`;
}
