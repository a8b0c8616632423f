import { type Callers, type Calm, OVERFLOW, type Series, type Signal, type Window } from '@flyball/contracts';
import { type BaselineState, isLearned, learn, newBaseline, type Normal, normalOf } from './baseline.ts';
import type { DetectorConfig } from './config.ts';
import { quantileMs, type Sample, sampleOf, slowerThan } from './sample.ts';
import { onCalm, onFinding, type SeriesEpisodesState, type Sight } from './series-episodes.ts';
import { newWatch, watch, type WatchState, worseBets } from './watch.ts';

/** A series of which no window came for so many windows of its subject is forgotten. */
const IDLE_WINDOWS_MAX = 720;

/** What is known of one operation's own time, or of the network before a service. Plain data, as all of this file. */
interface SeriesState {
  baseline: BaselineState;
  errors: WatchState;
  latency: WatchState;
  idleWindows: number;
}

/** What is known of a service's place in the graph and of where its time goes. */
export interface EdgesState {
  /** By `self <name> <kind>` or `gap <caller>`. */
  series: Record<string, SeriesState>;
  callers: string[];
}

/** Edges of a service of which nothing is known. */
export function newEdges(): EdgesState {
  return { series: {}, callers: [] };
}

/** Judges a window of edges: own time and own failures of each operation, the network before the service, and calls that it does not answer. */
export function judgeEdges(
  state: EdgesState,
  episodes: SeriesEpisodesState,
  window: Window,
  config: DetectorConfig,
): (Signal | Calm | Callers)[] {
  const { subject, endMs } = window;
  const said: (Signal | Calm | Callers)[] = [];
  const callers = window.series
    .filter(({ view, name }) => view === 'caller' && name !== OVERFLOW)
    .map(({ name }) => name);
  const news = callers.filter((name) => !state.callers.includes(name));
  if (news.length > 0) {
    state.callers = [...state.callers, ...news].sort().slice(0, CALLERS_MAX);
    said.push({ type: 'callers', subject, endMs, callers: state.callers });
  }
  for (const known of Object.values(state.series)) known.idleWindows += 1;
  for (const series of window.series) {
    if ((series.view !== 'self' && series.view !== 'gap') || series.name === OVERFLOW) continue;
    const name = series.view === 'gap' ? `gap ${series.name}` : `self ${series.name}`;
    const known = knownSeries(state, `${name} ${series.kind}`, config);
    if (known === undefined) continue;
    known.idleWindows = 0;
    if (window.coverage === 1) said.push(...judgeSeries(known, { name, series }, episodes, { window, config }));
  }
  for (const [key, { idleWindows }] of Object.entries(state.series)) {
    if (idleWindows > IDLE_WINDOWS_MAX) delete state.series[key];
  }
  return said;
}

/** Most callers of a service that are told. */
const CALLERS_MAX = 50;

function knownSeries(state: EdgesState, key: string, { edgeSeriesMax }: DetectorConfig): SeriesState | undefined {
  const known = state.series[key];
  if (known !== undefined) return known;
  if (Object.keys(state.series).length >= edgeSeriesMax) return undefined;
  const fresh = { baseline: newBaseline(), errors: newWatch(), latency: newWatch(), idleWindows: 0 };
  state.series[key] = fresh;
  return fresh;
}

interface Looked {
  readonly name: string;
  readonly series: Series;
}

interface Context {
  readonly window: Window;
  readonly config: DetectorConfig;
}

function judgeSeries(
  known: SeriesState,
  of: Looked,
  episodes: SeriesEpisodesState,
  context: Context,
): (Signal | Calm)[] {
  const { config, window } = context;
  const sample = sampleOf(of.series);
  if (!isLearned(known.baseline, config)) {
    learn(known.baseline, sample, config);
    return [];
  }
  const normal = normalOf(known.baseline);
  const sight = { subject: window.subject, endMs: window.endMs, config };
  const said = [
    ...judgeSlowness(known, of, episodes, { sample, normal, sight, startMs: window.startMs }),
    ...judgeFailures(known, of, episodes, { sample, normal, sight, startMs: window.startMs }),
  ];
  const isOff = [known.errors, known.latency].some(({ isFailing, isSuspect }) => isFailing || isSuspect);
  if (!isOff) learn(known.baseline, sample, config);
  return said;
}

interface Judging {
  readonly sample: Sample;
  readonly normal: Normal;
  readonly sight: Sight;
  readonly startMs: number;
}

function judgeSlowness(
  { latency: state }: SeriesState,
  { name, series }: Looked,
  episodes: SeriesEpisodesState,
  { sample, normal, sight, startMs }: Judging,
): (Signal | Calm)[] {
  const { config } = sight;
  const { requests } = sample;
  const bad = slowerThan(sample, normal.p95Us);
  const observed = quantileMs(sample, 0.95)!;
  const expected = normal.p95Us / 1_000;
  // A share of nothing much is nothing much: own times of microseconds double all the time.
  const isSlow = observed >= config.minLatencyRatio * expected && observed - expected >= config.minSelfIncreaseMs;
  const matters = (some: number, all: number) => some / all >= 2 * normal.slowRatio && isSlow;
  const bets = worseBets(bad, requests, { rate: normal.slowRatio, bound: normal.bounds.slowRatio });
  const { log10E, ...since } = watch(state, { startMs, bad, requests, bets, matters }, config);
  const key = `${name} latency`;
  if (!state.isFailing) return onCalm(episodes, key, sight);
  const kind = series.view === 'gap' ? ('network' as const) : ('latency' as const);
  return onFinding(
    episodes,
    {
      ...{ kind, series: key, instance: '', unit: 'ms', sinceMs: state.sinceMs, observed, expected, log10E, ...since },
      ...{ alarmLog10E: config.alarmLog10E, traceId: sample.slowestTraceId, detector: `${series.view}@1` },
    },
    sight,
  );
}

function judgeFailures(
  { errors: state }: SeriesState,
  { name, series }: Looked,
  episodes: SeriesEpisodesState,
  { sample, normal, sight, startMs }: Judging,
): (Signal | Calm)[] {
  const { config } = sight;
  const { requests, errors: bad } = sample;
  const expected = normal.errorRatio;
  const matters = (some: number, all: number) =>
    some / all - expected >= config.minErrorIncrease && some / all >= 2 * expected;
  const bets = worseBets(bad, requests, { rate: expected, bound: normal.bounds.errorRatio });
  const { log10E, ...since } = watch(state, { startMs, bad, requests, bets, matters }, config);
  // The network before a service does not fail: a call was not answered.
  const isGap = series.view === 'gap';
  const key = `${name} ${isGap ? 'unanswered' : 'errors'}`;
  if (!state.isFailing) return onCalm(episodes, key, sight);
  const kind = isGap ? ('availability' as const) : ('errors' as const);
  const about = { kind, series: key, instance: '', unit: '1', sinceMs: state.sinceMs };
  const numbers = { observed: requests === 0 ? 0 : bad / requests, expected, log10E, ...since };
  const detector = { alarmLog10E: config.alarmLog10E, traceId: sample.errorTraceId, detector: `${series.view}@1` };
  return onFinding(episodes, { ...about, ...numbers, ...detector }, sight);
}
