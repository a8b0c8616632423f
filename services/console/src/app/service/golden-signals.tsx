import type { ServiceDetail } from '@flyball/api';
import { type ReactNode, useMemo } from 'react';
import { duration, number, percent } from '../format.ts';
import { Chart, type ChartData } from './chart.tsx';
import type { History } from './history.ts';

type Point = ServiceDetail['windows'][number];

interface GoldenSignalsProps {
  readonly detail: ServiceDetail;
  readonly history: History;
}

/** Traffic, errors and latency over time, beside what is normal. */
export function GoldenSignals({ detail, history }: GoldenSignalsProps): ReactNode {
  const charts = useMemo(() => chartsOf(detail, history), [detail, history]);
  return (
    <div className="charts">
      {charts.map((data) => (
        <Chart key={data.title} data={data} />
      ))}
    </div>
  );
}

function chartsOf({ assessment }: ServiceDetail, history: History): ChartData[] {
  const { windows, fromMs, untilMs, markers, spans, blind } = history;
  const baseline = assessment?.baseline;
  const windowMs = assessment === undefined || assessment === null ? null : assessment.endMs - assessment.startMs;
  const perSecond = ({ requests, startMs, endMs }: Point) => (requests * 1_000) / (endMs - startMs);
  const of = (value: (point: Point) => number | null) =>
    windows.map((point) => (point.requests === 0 ? null : value(point)));
  const about = { atMs: windows.map(({ endMs }) => endMs), fromMs, untilMs, markers, spans, blind };
  const sampleOf = (index: number) => `n=${windows[index]?.requests ?? 0}`;
  const usual = baseline?.requests ?? null;
  return [
    {
      ...{ ...about, sampleOf, title: 'Traffic', least: 1, format: (value: number) => `${number(value)}/s` },
      lines: [{ name: 'requests', color: '--line-1', values: windows.map(perSecond), isFilled: true }],
      normal: usual === null || windowMs === null ? null : (usual * 1_000) / windowMs,
    },
    {
      ...{ ...about, sampleOf, title: 'Errors', least: 0.02, format: percent },
      lines: [
        {
          name: 'failed',
          color: '--line-bad',
          values: of(({ errors, requests }) => errors / requests),
          isFilled: true,
        },
      ],
      normal: baseline?.errorRatio ?? null,
    },
    {
      ...{ ...about, sampleOf, title: 'Latency', least: 5, format: duration },
      lines: [
        { name: 'p95', color: '--line-2', values: of(({ p95Ms }) => p95Ms) },
        { name: 'p50', color: '--line-3', values: of(({ p50Ms }) => p50Ms) },
      ],
      normal: baseline?.p95Ms ?? null,
    },
  ];
}
