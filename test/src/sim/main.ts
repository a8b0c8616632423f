import { CALM, ROUGH, runToy, toyOracle, toyTotals } from './toy-world.ts';
import { seen } from '@flyball/testing';

// `npm run sim -- SEED [COUNT]`: runs COUNT seeds from SEED on (default 1) and prints one line each. Exits 1 at
// the first seed whose rough run differs from its calm one or from the oracle: that seed is the bug report.

const first = Number(process.argv[2] ?? Math.floor(Math.random() * 2 ** 32));
const count = Number(process.argv[3] ?? 1);
const print = (line: string) => process.stdout.write(`${line}\n`);
const text = (map: Map<string, number>) => JSON.stringify([...map].sort());

for (let seed = first; seed < first + count; seed += 1) {
  const calm = await runToy(seed, CALM);
  const rough = await runToy(seed, ROUGH);
  const oracle = await toyOracle(calm.log);
  const wrong: string[] = [];
  for (const topic of ['parts', 'totals', 'alarms', 'dead']) {
    const [a, b] = [await seen(calm.log, topic), await seen(rough.log, topic)];
    if (a.join('\n') !== b.join('\n')) wrong.push(`${topic} differ`);
  }
  const found = await toyTotals(rough.log);
  if (text(found.totals) !== text(oracle.totals)) wrong.push('totals are not those of the oracle');
  if (text(found.late) !== text(oracle.late)) wrong.push('late sums are not those of the oracle');
  const { crashes, zombies, failures, checkpoints, steps } = rough.world.report;
  const went = `steps ${steps} crashes ${crashes} zombies ${zombies} failures ${failures} checkpoints ${checkpoints}`;
  print(`${wrong.length === 0 ? 'PASS' : 'FAIL'} seed ${seed} ${went} ${wrong.join(', ')}`);
  if (wrong.length > 0) process.exit(1);
}
