import { repositoryCommand, wholeNumber } from '../repository-command.ts';
import { type FaultRates, seen } from '@flyball/testing';
import { Prng } from '@flyball/core';
import { windowBreaches } from './line-oracle.ts';
import { LineWorld, QUIET } from './line-world.ts';
import { livelyBreaches } from './lively-oracle.ts';
import { livelyStory } from './lively-story.ts';
import { CALM, ROUGH, runToy, toyOracle, toyTotals } from './toy-world.ts';

// Prints one line per seed. Exits with 1 at the first whose rough run differs from its calm one or from the oracle: that seed is the
// bug report.

const LINE_CALM: FaultRates = { zombie: 0, crash: 0, checkpoint: 0.02 };
const LINE_ROUGH: FaultRates = { zombie: 0.01, crash: 0.03, checkpoint: 0.1 };

/** How far a broker's clock may be off: the run must get to where it was. */
const SKEW_MAX_MS = 12_000;

const [first = Math.floor(Math.random() * 2 ** 32), count] = repositoryCommand(
  'npm run sim --',
  'plays the line in simulation',
)
  .argument('[seed]', 'the first seed (default: any)', wholeNumber(0))
  .argument('[count]', 'how many seeds, from that one on', wholeNumber(1), 1)
  .parse().processedArgs as [number | undefined, number];
const print = (line: string) => process.stdout.write(`${line}\n`);
const text = (map: Map<string, number>) => JSON.stringify([...map].sort());

/** What the lively stories of all seeds went through: a fault that never came proves nothing. */
const happened: Record<string, number> = {};

for (let seed = first; seed < first + count; seed += 1) {
  const wrong = [...(await compareToy(seed)), ...(await compareLine(seed)), ...(await livelyLine(seed))];
  print(`${wrong.length === 0 ? 'PASS' : 'FAIL'} seed ${seed} ${wrong.join(', ')}`);
  if (wrong.length > 0) process.exit(1);
}
print(JSON.stringify(happened));

/** A toy line that uses every trick of the runtime: rough equals calm, and both equal an oracle over the raw records. */
async function compareToy(seed: number): Promise<string[]> {
  const calm = await runToy(seed, CALM);
  const rough = await runToy(seed, ROUGH);
  const oracle = await toyOracle(calm.log);
  const wrong: string[] = [];
  for (const topic of ['parts', 'totals', 'alarms', 'dead']) {
    const [a, b] = [await seen(calm.log, topic), await seen(rough.log, topic)];
    if (a.join('\n') !== b.join('\n')) wrong.push(`toy: ${topic} differ`);
  }
  const found = await toyTotals(rough.log);
  if (text(found.totals) !== text(oracle.totals)) wrong.push('toy: totals are not those of the oracle');
  if (text(found.late) !== text(oracle.late)) wrong.push('toy: late sums are not those of the oracle');
  return wrong;
}

/**
 * The whole line, from spans to commands: what each stage says in a rough run equals what it says in a calm one, and windows
 * equal an oracle over the raw records, though senders and the clock of a broker are off.
 */
async function compareLine(seed: number): Promise<string[]> {
  const dice = new Prng(seed);
  const from = 5 + dice.below(20);
  const byMs = (dice.chance(0.5) ? 1 : -1) * dice.below(SKEW_MAX_MS);
  const skew = { from, until: from + 1 + dice.below(8), byMs };
  const told = { seconds: 45, deployAt: 22, canaryErrors: 0.5, isUnruly: true, tailSeconds: 8, skew };
  const story = { ...QUIET, ...told, dark: [36, 39], hole: [40, 43] } as const;
  const calm = await LineWorld.run(seed, LINE_CALM, story);
  const rough = await LineWorld.run(seed, LINE_ROUGH, story);
  const wrong: string[] = [];
  const [calmWindows, roughWindows] = [
    await seen(calm.log, 'flyball.windows'),
    await seen(rough.log, 'flyball.windows'),
  ];
  if (calmWindows.join('\n') !== roughWindows.join('\n')) wrong.push('line: flyball.windows differ');
  wrong.push(...(await windowBreaches(rough.log)).map((breach) => `line: ${breach}`));
  const attempts = [...rough.target.attempts.values()];
  if (attempts.some((count) => count > 1)) wrong.push('line: a command was attempted twice');
  return wrong;
}

/** Operators say words at any time, people are asked, and things are done and undone, while everything dies now and then. */
async function livelyLine(seed: number): Promise<string[]> {
  const { breaches, seen } = await livelyBreaches(await LineWorld.run(seed, LINE_ROUGH, livelyStory(seed)));
  for (const [what, count] of Object.entries(seen)) happened[what] = (happened[what] ?? 0) + count;
  return breaches.map((breach) => `lively: ${breach}`);
}
