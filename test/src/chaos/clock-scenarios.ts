import { MINUTE_MS } from '@flyball/core';
import { SettableClock } from '@flyball/testing';
import { type ChaosStage, LANES } from './chaos-stage.ts';
import { metricValues } from './metric-values.ts';
import { awaitMoment, deployBad, learned } from './release.ts';
import { Replicas } from './replicas.ts';
import type { RunRecords, Scenario } from './scenario.ts';

const JUMP_MS = 10 * MINUTE_MS;
const SHOP = 'demo-one';

/** Sets the clocks of processes or brokers. */
function setClocks({ cluster, tell }: ChaosStage, names: readonly string[], aheadMs: number): void {
  for (const name of names) cluster.clock(name).set(aheadMs);
  tell(`${names.join(', ')}: ${aheadMs / 1_000} s off`);
}

/** The clocks of services jump by ten minutes, back and forth, while a bad release must be ordered back, once. */
function jumpOf(what: string, clocks: readonly string[]): Scenario {
  return {
    name: `clock-jump-${what}`,
    title: `the clock of ${what} jumps ten minutes back and forth around a bad release: ordered back once, all covered`,
    missing: () => SettableClock.missing(),
    cluster: { clocks },
    shops: [SHOP],
    commands: 1,
    run: async (stage) => {
      const [first, second] = stage.dice.chance(0.5) ? [JUMP_MS, -JUMP_MS] : [-JUMP_MS, JUMP_MS];
      await learned(stage);
      setClocks(stage, clocks, first);
      await stage.pass(4_000, 8_000);
      await deployBad(stage, SHOP);
      await stage.pass(1, 4_000);
      setClocks(stage, clocks, second);
      await awaitMoment(stage, SHOP, 'outcome');
      await stage.pass(4_000, 8_000);
      setClocks(stage, clocks, 0);
      await stage.pass(6_000, 8_000);
    },
    check: expectAllCovered,
  };
}

/** No clock but the log's makes us blind. */
function expectAllCovered({ findings }: ChaosStage, { emitted }: RunRecords): void {
  const uncovered = emitted.windows.filter(({ coverage }) => coverage < 1).length;
  findings.expect(uncovered === 0, `${uncovered} windows are not covered because of a clock that is not the log's`);
}

/** Windows that closed within a time of the harness's clock, by how much of them was covered. */
function coverages({ emitted }: RunRecords, fromMs: number, untilMs: number): readonly number[] {
  return emitted.windows.filter(({ endMs }) => endMs > fromMs && endMs <= untilMs).map(({ coverage }) => coverage);
}

/** How far ingest sees the clock of each raw partition off, s. */
async function skewsOf({ cluster }: ChaosStage): Promise<readonly number[]> {
  const skews = await metricValues(cluster.hello('ingest').health, 'flyball_ingest_clock_skew_seconds');
  return skews.map((seconds) => Number(seconds.toFixed(1)));
}

/** A partition that is left out for so long is down, ms. */
const STALL_MS = 30_000;
/** Windows close a little after their end. */
const MOVING_MS = 5_000;
/** The node that leads a raw partition now. */
async function leaderOf({ cluster }: ChaosStage, partition: number): Promise<number> {
  const replicas = await Replicas.open(cluster.kafka.url);
  return replicas.leaderOf('otlp_spans', partition).finally(() => replicas.close());
}

/** Long enough that windows must go on without what it leads. */
const WRONG_MS = [45_000, 50_000] as const;

/** Clocks of our own processes, and of brokers. Senders' are in `order-scenarios.ts`. */
export const CLOCK_SCENARIOS: readonly Scenario[] = [
  jumpOf('ingest', ['ingest-1']),
  jumpOf('stages', ['aggregator-1', 'detector-1', 'planner-1']),
  {
    name: 'clock-broker',
    title: 'the clock of one of three brokers is off: it is not written to, and windows go on without its partitions',
    missing: () => SettableClock.missing(),
    isPartitionDown: true,
    cluster: { brokers: 3, clocks: ['broker-1', 'broker-2', 'broker-3'] },
    run: async (stage) => {
      const { dice, findings } = stage;
      await stage.pass(8_000, 12_000);
      const clocks = [`broker-${await leaderOf(stage, dice.below(LANES))}`];
      const aheadMs = (dice.chance(0.5) ? 1 : -1) * (3_000 + dice.below(JUMP_MS));
      setClocks(stage, clocks, aheadMs);
      findings.note('wrong from', Date.now());
      await stage.pass(...WRONG_MS);
      const skews = await skewsOf(stage);
      stage.tell(`ingest sees clocks off by ${skews.join(' ')} s`);
      findings.note('left out', skews.filter((seconds) => Math.abs(seconds) > 2).length);
      findings.note('wrong until', Date.now());
      setClocks(stage, clocks, 0);
      await stage.pass(10_000, 15_000);
    },
    check: (stage, records) => {
      const { numbers } = stage.findings;
      const [fromMs, untilMs] = [Number(numbers['wrong from']), Number(numbers['wrong until'])];
      const wrong = coverages(records, fromMs + STALL_MS, untilMs - MOVING_MS);
      stage.findings.expect(wrong.length > 0, 'no window closed while a clock was wrong');
      // The brokers may have noticed by themselves, and moved what it led; then nobody had to be left out.
      const isLeftOut = Number(numbers['left out']) > 0;
      const isSo = wrong.every((coverage) => coverage > 0 && (coverage < 1 || !isLeftOut));
      stage.findings.expect(isSo, `while a clock was wrong: coverage ${[...new Set(wrong)].join(' ')}`);
    },
  },
  {
    name: 'clock-broker-alone',
    title:
      'the clock of the only broker runs ahead and comes back: late is said, nothing is concluded, it is well again',
    missing: () => SettableClock.missing(),
    cluster: { clocks: ['broker-1'] },
    run: async (stage) => {
      const { dice, findings } = stage;
      const aheadMs = 8_000 + dice.below(8_000);
      await stage.pass(8_000, 12_000);
      setClocks(stage, ['broker-1'], aheadMs);
      findings.note('wrong from', Date.now());
      await stage.pass(8_000, 12_000);
      setClocks(stage, ['broker-1'], 0);
      // Until the true time is where the wrong one was, and senders have settled.
      await stage.pass(aheadMs, aheadMs + 2_000);
      findings.note('wrong until', Date.now() + 4_000);
      await stage.pass(10_000, 15_000);
    },
    check: (stage, records) => {
      const { findings } = stage;
      const [fromMs, untilMs] = [Number(findings.numbers['wrong from']), Number(findings.numbers['wrong until'])];
      const during = coverages(records, fromMs, untilMs - 4_000);
      // The jump is a hole. What closes while the log believes the wrong time has no spans but late ones, which nobody judges.
      findings.expect(
        during.some((coverage) => coverage < 1),
        'the jump of the log was not seen as blindness',
      );
      findings.note('uncovered at the jump', during.filter((coverage) => coverage < 1).length);
      const after = coverages(records, untilMs, Infinity);
      findings.expect(after.includes(1), 'nothing is covered any more after a wrong clock');
      const late = [...records.expected.totals.values()].reduce((sum, total) => sum + total.lateAtMs.length, 0);
      findings.expect(late > 0, 'nothing was late: the clock was not felt');
    },
  },
];
