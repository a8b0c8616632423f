import { GAUGE_ALERT_SCORE, GAUGE_DEFAULTS, type GaugeConfig, newGauge, scoreGauge } from '@flyball/stats';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventF1 } from './event-f1.ts';
import {
  type LabelledRecording,
  readLabelled,
  readNab,
  type Recorded,
  type WindowedRecording,
} from './labelled-data.ts';
import { NAB_PROFILES, nabScore } from './nab-score.ts';

/** What is measured on, as far as it is there. */
interface Data {
  readonly nab: readonly WindowedRecording[];
  readonly cloud: readonly LabelledRecording[];
  readonly synthetic: readonly LabelledRecording[];
}

const scoresOf = ({ rows }: Recorded, config: GaugeConfig): number[] => {
  const gauge = newGauge();
  return rows.map((row) => scoreGauge(gauge, row, config).score);
};

/** Measures the score of a gauge on labelled series below a folder; `isVaried`: with every setting halved and doubled. */
export function evalDetect(dir: string, isVaried: boolean): void {
  const part = <T>(name: string, read: (path: string) => T[]): T[] =>
    existsSync(join(dir, name)) ? read(join(dir, name)) : [];
  const data = {
    nab: [...part('nab', readNab), ...part('nab-dev', readNab)],
    cloud: part('mscloud', readLabelled),
    synthetic: part('merlion', readLabelled),
  };
  if (data.nab.length + data.cloud.length + data.synthetic.length === 0) {
    throw new Error(`no folder nab, nab-dev, mscloud or merlion in ${dir}`);
  }
  if (isVaried) return vary(data);
  tell(data);
  tellSpeed(data);
}

function tell({ nab, cloud, synthetic }: Data): void {
  if (nab.length > 0) {
    const set = nab.map((each) => ({ windows: each.windows, scores: scoresOf(each, GAUGE_DEFAULTS) }));
    const windows = nab.reduce((sum, each) => sum + each.windows.length, 0);
    line(`NAB, ${nab.length} series, ${windows} windows`, 'best threshold', `threshold ${GAUGE_ALERT_SCORE}`);
    for (const profile of NAB_PROFILES) {
      const { best, fixed } = nabScore(set, profile, GAUGE_ALERT_SCORE);
      line(`  ${profile.name}`, `${best.score.toFixed(1)} (${best.threshold.toFixed(3)})`, fixed.score.toFixed(1));
    }
  }
  for (const [name, set] of [
    ['cloud monitoring', cloud],
    ['synthetic', synthetic],
  ] as const) {
    if (set.length === 0) continue;
    const scored = set.map((each) => ({ labels: each.labels, scores: scoresOf(each, GAUGE_DEFAULTS) }));
    const { events, found, falseAlerts, f1 } = eventF1(scored, GAUGE_ALERT_SCORE);
    const rows = set.reduce((sum, each) => sum + each.rows.length, 0);
    line(`${name}, ${set.length} series, ${events} faults`, '', `threshold ${GAUGE_ALERT_SCORE}`);
    line('  found within 8 rows', '', `${found}`);
    line('  false alerts', `${((1_000 * falseAlerts) / rows).toFixed(2)} in 1000 rows`, `${falseAlerts}`);
    line('  delay-limited F1 over rows', '', f1.toFixed(3));
  }
}

function tellSpeed({ nab, cloud, synthetic }: Data): void {
  const all = [...nab, ...cloud, ...synthetic];
  const before = process.cpuUsage();
  for (const each of all) scoresOf(each, GAUGE_DEFAULTS);
  const { user, system } = process.cpuUsage(before);
  const rows = all.reduce((sum, each) => sum + each.rows.length, 0);
  line('speed', '', `${Math.round(rows / ((user + system) / 1e3))} k values/CPU-s`);
}

/** How much the choice of each setting matters: little, or it was fitted to these series. */
function vary({ nab, cloud }: Data): void {
  line('setting', 'NAB standard, best', `at ${GAUGE_ALERT_SCORE}`, 'cloud F1');
  const measure = (name: string, config: GaugeConfig) => {
    const set = nab.map((each) => ({ windows: each.windows, scores: scoresOf(each, config) }));
    const { best, fixed } = nabScore(set, NAB_PROFILES[0]!, GAUGE_ALERT_SCORE);
    const scored = cloud.map((each) => ({ labels: each.labels, scores: scoresOf(each, config) }));
    line(name, best.score.toFixed(1), fixed.score.toFixed(1), eventF1(scored, GAUGE_ALERT_SCORE).f1.toFixed(3));
  };
  measure('as it is', GAUGE_DEFAULTS);
  for (const key of Object.keys(GAUGE_DEFAULTS) as (keyof GaugeConfig)[]) {
    for (const factor of [0.5, 2]) {
      // A record that needs less than what it exceeds would be none: its excess over 1 is varied.
      const value = key === 'recordFactor' ? 1 + factor * (GAUGE_DEFAULTS[key] - 1) : factor * GAUGE_DEFAULTS[key];
      measure(`${key} ${Number(value.toPrecision(6))}`, { ...GAUGE_DEFAULTS, [key]: value });
    }
  }
}

function line(name: string, ...cells: string[]): void {
  process.stdout.write(`${`${name.padEnd(44)}${cells.map((cell) => cell.padStart(20)).join('')}`.trimEnd()}\n`);
}
