import type uPlot from 'uplot';

/** Something that happened, as a line across a chart. */
export interface Marker {
  readonly atMs: number;
  readonly kind: 'change' | 'action';
  readonly text: string;
}

/** What is drawn on a chart beside its lines. */
export interface Drawn {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly normal: number | null;
  /** The value axis reaches at least up to here. */
  readonly least: number;
  readonly markers: readonly Marker[];
  readonly spans: readonly (readonly [number, number])[];
  readonly blind: readonly (readonly [number, number])[];
  readonly format: (value: number) => string;
}

type Token = (name: string) => string;

const HATCH_PX = 7;
const TEXT_MAX = 20;

/** Below the lines: times of incidents, times that nobody can vouch for, and what is normal. */
export function drawBehind(plot: uPlot, { spans, blind, normal }: Drawn, token: Token): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = token('--span');
  for (const span of spans) {
    const [left, right] = pixelsOf(plot, span);
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  for (const span of blind) hatch(plot, pixelsOf(plot, span), token('--hatch'));
  if (normal !== null) {
    const y = Math.round(plot.valToPos(normal, 'y', true));
    ctx.fillStyle = token('--normal-band');
    ctx.fillRect(bbox.left, y, bbox.width, bbox.top + bbox.height - y);
    ctx.strokeStyle = token('--normal');
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
    line(ctx, [bbox.left, y], [bbox.left + bbox.width, y]);
  }
  ctx.restore();
}

/** Above the lines: what was changed, and what was done. */
export function drawMarkers(plot: uPlot, { markers, fromMs, untilMs }: Drawn, token: Token): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `${10.5 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = 'bottom';
  let freeFrom = -Infinity;
  for (const { atMs, kind, text } of markers) {
    if (atMs < fromMs || atMs > untilMs) continue;
    const x = Math.round(plot.valToPos(atMs / 1_000, 'x', true));
    ctx.strokeStyle = token(kind === 'change' ? '--marker-change' : '--marker-action');
    ctx.fillStyle = ctx.strokeStyle;
    ctx.lineWidth = ratio;
    ctx.setLineDash(kind === 'change' ? [3 * ratio, 3 * ratio] : []);
    line(ctx, [x, bbox.top - 3 * ratio], [x, bbox.top + bbox.height]);
    const label = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 1)}…` : text;
    const width = ctx.measureText(label).width;
    const left = Math.max(bbox.left, Math.min(x - 2 * ratio, bbox.left + bbox.width - width));
    // Labels that would lie on each other are left out; the list below the charts has them all.
    if (left < freeFrom) continue;
    ctx.fillText(label, left, bbox.top - 3 * ratio);
    freeFrom = left + width + 6 * ratio;
  }
  ctx.restore();
}

function pixelsOf(plot: uPlot, [fromMs, untilMs]: readonly [number, number]): readonly [number, number] {
  const left = plot.valToPos(fromMs / 1_000, 'x', true);
  const right = plot.valToPos(untilMs / 1_000, 'x', true);
  return [Math.round(left), Math.max(Math.round(left) + devicePixelRatio, Math.round(right))];
}

function hatch({ ctx, bbox }: uPlot, [left, right]: readonly [number, number], color: string): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, bbox.top, right - left, bbox.height);
  ctx.clip();
  ctx.strokeStyle = color;
  ctx.lineWidth = devicePixelRatio;
  const step = HATCH_PX * devicePixelRatio;
  for (let x = left - bbox.height; x < right; x += step) {
    line(ctx, [x, bbox.top + bbox.height], [x + bbox.height, bbox.top]);
  }
  ctx.restore();
}

function line(ctx: CanvasRenderingContext2D, [x1, y1]: readonly number[], [x2, y2]: readonly number[]): void {
  ctx.beginPath();
  ctx.moveTo(x1!, y1!);
  ctx.lineTo(x2!, y2!);
  ctx.stroke();
}
