import {
  type Assessment,
  type Series,
  type Signal,
  SignalsMessage,
  type View,
  type Window,
  type WindowsMessage,
} from '@flyball/contracts';
import { assert, Prng } from '@flyball/core';
import type { Outbox } from '@flyball/runtime';
import { DurationSketch } from '@flyball/stats';
import { Detector, DetectorConfig, type DetectorOut } from '@flyball/detector';

/** Length of a window, ms. */
export const WINDOW_MS = 2_000;
/** Settings of the demo: a short warm-up. */
export const CONFIG = DetectorConfig.parse({ warmupWindows: 5 });

/** What a version serves in a window. */
export interface Traffic {
  readonly requests: number;
  /** Share of failed requests, 0 to 1. */
  readonly failing: number;
  /** Median duration in ms. */
  readonly medianMs: number;
}

/** What happens in a window. */
export interface Moment {
  readonly versions?: Readonly<Record<string, Partial<Traffic>>>;
  readonly coverage?: number;
  readonly lateSpans?: number;
}
const GOOD: Traffic = { requests: 40, failing: 0.003, medianMs: 20 };

const seriesOf = (dice: Prng, view: View, name: string, traffic: readonly Traffic[]): Series => {
  const sketch = new DurationSketch();
  let [errors, sumUs, minUs, maxUs] = [0, 0, Infinity, 0];
  for (const { requests, failing, medianMs } of traffic) {
    for (let request = 0; request < requests; request += 1) {
      const us = Math.round(1_000 * medianMs * Math.exp(0.4 * dice.normal()));
      if (dice.chance(failing)) errors += 1;
      sketch.add(us);
      [sumUs, minUs, maxUs] = [sumUs + us, Math.min(minUs, us), Math.max(maxUs, us)];
    }
  }
  const texts = { slowestTraceId: 'aa', errorTraceId: errors > 0 ? 'ee' : '' };
  return { view, name, kind: 0, count: sketch.count, errors, sumUs, minUs, maxUs, sketch: sketch.toData(), ...texts };
};

/** A simulated service and its detector. Windows of one service, whose `service` view is the sum of its versions. */
export class SimulatedService {
  readonly detector: Detector;
  readonly said: SignalsMessage[] = [];
  readonly #dice: Prng;
  #endMs = 0;

  constructor(seed: number, config = CONFIG, lanes = 1) {
    this.#dice = new Prng(seed);
    this.detector = new Detector(config, 0, lanes);
  }

  tell(body: WindowsMessage): void {
    tellTo(this.detector, body, this.said);
  }

  window(moment: Moment = {}): Assessment {
    this.tell(this.next(moment));
    return this.said.findLast((message) => message.type === 'assessment')!;
  }

  windows(count: number, moment: Moment = {}): Assessment[] {
    return Array.from({ length: count }, () => this.window(moment));
  }

  next({ versions = { v1: {} }, coverage = 1, lateSpans = 0 }: Moment): Window {
    this.#endMs += WINDOW_MS;
    const series: Series[] = [];
    for (const [name, traffic] of Object.entries(versions)) {
      const each = seriesOf(this.#dice, 'version', name, [{ ...GOOD, ...traffic }]);
      if (each.count > 0) series.push(each);
    }
    if (series.length > 0) {
      const sketch = new DurationSketch();
      for (const each of series) sketch.merge(each.sketch);
      const errors = series.reduce((sum, each) => sum + each.errors, 0);
      series.unshift({
        ...series[0]!,
        view: 'service',
        name: '',
        count: sketch.count,
        errors,
        sketch: sketch.toData(),
      });
    }
    const times = { startMs: this.#endMs - WINDOW_MS, endMs: this.#endMs };
    const subject = { tenant: 'default', environment: 'test', service: 'shop' };
    const counts = { spans: 0, lateSpans, earlySpans: 0 };
    return { type: 'window', kind: 'traces', subject, ...times, coverage, ...counts, series, metrics: [] };
  }

  get signals(): Signal[] {
    return this.said.filter((message) => message.type === 'signal');
  }
}

/** Tells a detector one message, and collects what it says as a reader of the topic would see it. */
export const tellTo = (detector: Detector, body: WindowsMessage, said: SignalsMessage[]) => {
  const outbox: Outbox<DetectorOut> = {
    emit: (_topic, key, message) => {
      assert(key === 'default/test', 'signals are keyed by scope');
      said.push(SignalsMessage.parse(JSON.parse(JSON.stringify(message))));
    },
    broadcast: (_topic, message) => void said.push(message),
    reject: (error) => {
      throw error;
    },
  };
  detector.process({ offset: 0, epoch: 0, atMs: 0, key: '', provenance: undefined, body }, outbox);
};
