import { type ReactNode, useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import { useClock } from '../format.ts';
import { usePreferences } from '../preferences.ts';
import { drawBehind, drawMarkers, type Drawn, type Marker } from './chart-drawing.ts';

const HEIGHT = 168;

/** One line of a chart. */
interface Line {
  readonly name: string;
  /** A colour token: `--line-1`. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  readonly isFilled?: boolean;
}

/** What a chart shows. Times are ms; `values` of all lines are as long as `atMs`. */
export interface ChartData {
  readonly title: string;
  readonly atMs: readonly number[];
  readonly fromMs: number;
  readonly untilMs: number;
  readonly lines: readonly Line[];
  /** What is normal, where that was learned. */
  readonly normal: number | null;
  /** The value axis reaches at least up to here. */
  readonly least: number;
  readonly markers: readonly Marker[];
  /** Times in which an incident was open. */
  readonly spans: readonly (readonly [number, number])[];
  /** Times that nobody can vouch for. */
  readonly blind: readonly (readonly [number, number])[];
  readonly format: (value: number) => string;
  /** What the number of a point rests on: `n=36`. */
  readonly sampleOf: (index: number) => string;
}

/** A chart over time. All charts of a page share their cursor. */
export function Chart({ data }: { readonly data: ChartData }): ReactNode {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const drawn = useRef<Drawn>(data);
  const [index, setIndex] = useState<number | null>(null);
  const { theme } = usePreferences();
  const clock = useClock();
  drawn.current = data;
  const shape = `${data.lines.map(({ name }) => name).join('\n')}\n${theme}\n${clock.timeZone}`;
  useEffect(() => {
    const element = host.current!;
    const made = new uPlot(optionsOf(data, drawn, clock.timeZone, setIndex), pointsOf(data), element);
    plot.current = made;
    const fit = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    fit.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const redraw = () => made.redraw();
    scheme.addEventListener('change', redraw);
    return () => {
      scheme.removeEventListener('change', redraw);
      fit.disconnect();
      made.destroy();
    };
    // Made anew when its lines, theme or zone change; its points are set below.
  }, [shape]);
  useEffect(() => plot.current?.setData(pointsOf(data)), [data]);
  return (
    <figure className="chart">
      <Readout data={data} index={index} />
      <div ref={host} className="chart-plot" role="img" aria-label={describe(data)} />
    </figure>
  );
}

function pointsOf({ atMs, lines }: ChartData): uPlot.AlignedData {
  return [atMs.map((ms) => ms / 1_000), ...lines.map(({ values }) => [...values])];
}

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function optionsOf(
  data: ChartData,
  drawn: { readonly current: Drawn },
  timeZone: string,
  onIndex: (index: number | null) => void,
): uPlot.Options {
  const axis = { stroke: () => token('--muted'), font: '11px system-ui, sans-serif', ticks: { show: false } };
  const grid = { stroke: () => token('--grid'), width: 1 };
  const axisFormat = (_: uPlot, values: number[]) => values.map((value) => drawn.current.format(value));
  return {
    width: 300,
    height: HEIGHT,
    padding: [18, 6, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), timeZone),
    legend: { show: false },
    cursor: { sync: { key: 'service' }, drag: { x: false, y: false }, points: { size: 6 }, y: false },
    scales: {
      x: { range: () => [drawn.current.fromMs / 1_000, drawn.current.untilMs / 1_000] },
      y: { range: (_, __, max) => [0, Math.max(max, drawn.current.normal ?? 0, drawn.current.least) * 1.12] },
    },
    axes: [
      { ...axis, grid: { show: false }, values: '{HH}:{mm}:{ss}', space: 70, size: 22 },
      { ...axis, grid, values: axisFormat, size: 58, space: 36 },
    ],
    series: [{}, ...data.lines.map(seriesOf)],
    hooks: {
      drawClear: [(plot) => drawBehind(plot, drawn.current, token)],
      draw: [(plot) => drawMarkers(plot, drawn.current, token)],
      setCursor: [({ cursor: { idx } }) => onIndex(idx ?? null)],
    },
  };
}

function seriesOf({ color, isFilled }: Line): uPlot.Series {
  return {
    stroke: () => token(color),
    width: 1.75,
    ...(isFilled === true && { fill: () => `color-mix(in srgb, ${token(color)} 14%, transparent)` }),
    points: { show: false },
    spanGaps: false,
  };
}

function Readout({ data, index }: { readonly data: ChartData; readonly index: number | null }): ReactNode {
  const clock = useClock();
  const at = index ?? data.atMs.length - 1;
  const atMs = data.atMs[at];
  return (
    <figcaption className="readout">
      <strong>{data.title}</strong>
      {data.lines.map(({ name, color, values }) => {
        const value = values[at];
        return (
          <span key={name} className="reading">
            <i className={`swatch swatch${color.slice(1)}`} aria-hidden />
            {name} <b>{value === null || value === undefined ? '–' : data.format(value)}</b>
          </span>
        );
      })}
      {data.normal !== null && <span className="reading normal">normal {data.format(data.normal)}</span>}
      {atMs !== undefined && (
        <span className="reading at">
          {data.sampleOf(at)} · {clock.time(atMs)}
        </span>
      )}
    </figcaption>
  );
}

/** The chart in a sentence, for who does not see it. */
function describe({ title, lines, format, normal, markers }: ChartData): string {
  const newest = lines.map(({ name, values }) => {
    const last = values.at(-1);
    const known = values.filter((value) => value !== null);
    const most = known.length === 0 ? '' : `, at most ${format(Math.max(...known))}`;
    return `${name} ${last === null || last === undefined ? 'nothing' : format(last)}${most}`;
  });
  const usual = normal === null ? '' : `; normal is ${format(normal)}`;
  return `${title}: ${newest.join('; ')}${usual}. ${markers.length} changes and actions are marked.`;
}
