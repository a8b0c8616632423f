import { EXIT } from '@flyball/cli';
import { repositoryCommand, wholeNumber } from '../repository-command.ts';
import { play, type RunReport } from './play.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

// Hurts a deployment of real processes over a real Kafka at seeded times, and checks that its promises held. Without a scenario it
// plays all but the long ones. Exits with 0 or 3.

const values = repositoryCommand(
  'npm run chaos --',
  'hurts a deployment at seeded times, and checks that its promises held',
)
  .option('--scenario <name>', 'one of --list (default: all but the long ones)')
  .option('--seed <n>', 'what decides when it hurts (default: any)', wholeNumber(0))
  .option('--seeds <n>', 'how many seeds, from that one on', wholeNumber(1), 1)
  .option('--keep', 'keep data and logs though it passed', false)
  .option('--list', 'name the scenarios', false)
  .parse()
  .opts<{ scenario?: string; seed?: number; seeds: number; keep: boolean; list: boolean }>();

let close: (() => Promise<void>) | undefined;
const interrupt = () => void (close?.() ?? Promise.resolve()).finally(() => process.exit(130));
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);

if (values.list) {
  const markOf = ({ isLong = false }: Scenario) => (isLong ? 'long, only by its name: ' : '');
  for (const scenario of SCENARIOS) {
    process.stdout.write(`${scenario.name.padEnd(24)} ${markOf(scenario)}${scenario.title}\n`);
  }
} else {
  process.exitCode = await playAll(chosen(values.scenario));
}

function chosen(name: string | undefined): readonly Scenario[] {
  const found = SCENARIOS.filter((scenario) => (name === undefined ? !scenario.isLong : scenario.name === name));
  if (found.length > 0) return found;
  process.stderr.write(`no scenario ${name}; npm run chaos -- --list names them\n`);
  process.exit(EXIT.usage);
}

async function playAll(scenarios: readonly Scenario[]): Promise<number> {
  const reports: RunReport[] = [];
  const { seed: first = 1 + Math.floor(Math.random() * 1e6), seeds: count } = values;
  let isSkipped = false;
  for (const scenario of scenarios) {
    const missing = scenario.missing?.();
    if (missing !== undefined) {
      isSkipped = true;
      process.stdout.write(`\nSKIP ${scenario.name}: ${missing}\n`);
      continue;
    }
    for (let seed = first; seed < first + count; seed += 1) {
      process.stdout.write(`\n== ${scenario.name}, seed ${seed}: ${scenario.title}\n`);
      const onNote = (text: string) => process.stdout.write(`   ${text}\n`);
      const onStage = (stop: () => Promise<void>) => (close = stop);
      const report = await play(scenario, { seed, keeps: values.keep, onNote, onStage });
      reports.push(report);
      tell(report);
    }
  }
  if (reports.length > 1) process.stdout.write('\n');
  for (const { scenario, seed, failures, seconds } of reports.length > 1 ? reports : []) {
    const word = failures.length === 0 ? 'PASS' : 'FAIL';
    process.stdout.write(`${word} ${scenario.padEnd(24)} seed ${seed} ${seconds.toFixed(0)} s ${failures[0] ?? ''}\n`);
  }
  // Where everything must be real, what was left out has not passed.
  if (isSkipped && process.env['FLYBALL_REQUIRE_REAL'] === '1') return EXIT.fail;
  return reports.every(({ failures }) => failures.length === 0) ? EXIT.pass : EXIT.fail;
}

function tell({ scenario, seed, failures, numbers, seconds, dir }: RunReport): void {
  const told = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(`   ${told.join(', ')}\n`);
  for (const failure of failures) process.stdout.write(`   FAILED ${failure}\n`);
  if (dir !== '') process.stdout.write(`   data and logs kept in ${dir}\n`);
  process.stdout.write(
    `${failures.length === 0 ? 'PASS' : 'FAIL'} ${scenario} seed ${seed} in ${seconds.toFixed(0)} s\n`,
  );
}
