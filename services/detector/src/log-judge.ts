import { type Calm, OVERFLOW, type Series, type Signal, type Window } from '@flyball/contracts';
import { countBets } from '@flyball/stats';
import type { DetectorConfig } from './config.ts';
import { onCalm, onFinding, type SeriesEpisodesState } from './series-episodes.ts';
import { newWatch, watch, type WatchState } from './watch.ts';

/** Error records of one template. */
interface TemplateState {
  /** Decayed sum of records, for the mean. */
  records: number;
  watch: WatchState;
  /** Windows since it was last seen. */
  idleWindows: number;
}

/** What is known of the logs of a service. Plain data: it is a part of the snapshot. */
export interface LogsState {
  /** Decayed number of windows, and how many there were. */
  weight: number;
  windows: number;
  templates: Record<string, TemplateState>;
}

/** Logs of a service of which nothing is known. */
export function newLogs(): LogsState {
  return { weight: 0, windows: 0, templates: {} };
}

/** With so many windows of logs behind it, what was never seen is new. */
const KNOWN_WINDOWS = 12;
/** Fewer records of a template than this are nobody's trouble. */
const RECORDS_MIN = 3;
/** So many windows without it, and a template is forgotten. */
const IDLE_WINDOWS_MAX = 720;

/**
 * Judges a window of logs: whether a statement that reports errors is heard more often than it was, or for the first time.
 * Templates of lower severity explain nothing by themselves.
 */
export function judgeLogs(
  state: LogsState,
  episodes: SeriesEpisodesState,
  window: Window,
  config: DetectorConfig,
): (Signal | Calm)[] {
  if (window.coverage < 1) return [];
  const found = new Map(
    window.series
      .filter(({ view, name, errors }) => view === 'template' && name !== OVERFLOW && errors > 0)
      .map((series) => [series.name, series]),
  );
  for (const name of found.keys()) {
    if (state.templates[name] !== undefined || Object.keys(state.templates).length >= config.logTemplatesMax) continue;
    state.templates[name] = { records: 0, watch: newWatch(), idleWindows: 0 };
  }
  const said = Object.entries(state.templates).flatMap(([name, known]) => {
    const series = found.get(name);
    known.idleWindows = series === undefined ? known.idleWindows + 1 : 0;
    if (known.idleWindows > IDLE_WINDOWS_MAX) delete state.templates[name];
    return judgeTemplate({ state, known, name, series }, episodes, window, config);
  });
  state.weight = state.weight * config.keepRatio + 1;
  state.windows += 1;
  return said;
}

interface Judging {
  readonly state: LogsState;
  readonly known: TemplateState;
  readonly name: string;
  /** `undefined` where there is no record of it in the window. */
  readonly series: Series | undefined;
}

function judgeTemplate(
  { state, known, name, series }: Judging,
  episodes: SeriesEpisodesState,
  window: Window,
  config: DetectorConfig,
): (Signal | Calm)[] {
  const records = series?.count ?? 0;
  // Half a record for what was not seen yet: the longer nothing came, the less is expected.
  const expected = (known.records + 0.5) / (state.weight + 1);
  const key = `log ${name}`;
  const sight = { subject: window.subject, endMs: window.endMs, config };
  const said: (Signal | Calm)[] = [];
  if (state.windows >= KNOWN_WINDOWS) {
    const matters = (some: number) => some >= RECORDS_MIN && some >= 2 * expected;
    const bets = countBets(records, expected);
    const reading = { startMs: window.startMs, bad: records, requests: Math.max(1, records), bets, matters };
    const { log10E, bad } = watch(known.watch, reading, config);
    if (known.watch.isFailing) {
      const about = { kind: 'errors' as const, series: key, instance: '', unit: '{record}', requests: 0 };
      const numbers = { sinceMs: known.watch.sinceMs, observed: records, expected, log10E, bad };
      const detector = { alarmLog10E: config.alarmLog10E, traceId: series?.errorTraceId ?? '', detector: 'logs@1' };
      said.push(...onFinding(episodes, { ...about, ...numbers, ...detector }, sight));
    } else said.push(...onCalm(episodes, key, sight));
  }
  const isOff = known.watch.isFailing || known.watch.isSuspect;
  known.records = known.records * config.keepRatio + (isOff ? Math.min(records, expected) : records);
  return said;
}
