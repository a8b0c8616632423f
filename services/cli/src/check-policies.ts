import { RejectedError, inert } from '@flyball/core';
import { PlannerConfig, PolicyCases, tryPolicy } from '@flyball/planner';
import { targetNames } from '@flyball/outbound';
import { parseConfiguration, parsePolicy, readYaml } from '@flyball/policy';
import { configurationFiles } from '@flyball/api';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, EXIT } from './cli-error.ts';

/** `policy lint`. @param connections - file or folder: bindings may name those alone, and the twin. */
export function lintPolicies(dir: string, connections: string | undefined): void {
  const drivers = connections === undefined ? undefined : driversOf(connections);
  const files = filesOf(dir);
  const problems = files.flatMap((file) => problemsOf(file, () => void parseConfiguration(read(dir, file), drivers)));
  report(problems, `${files.length} files are in order`);
}

/** `policy test`. */
export function testPolicies(dir: string): void {
  filesOf(dir);
  const tests = caseFiles(dir);
  if (tests.length === 0) {
    throw new CliError(`no cases in ${dir}`, 'write them to NAME.test.yaml beside NAME.yaml', EXIT.usage);
  }
  const results = tests.map((file) => testFile(dir, file));
  const cases = results.reduce((sum, result) => sum + result.cases, 0);
  report(
    results.flatMap(({ problems }) => problems),
    `${cases} cases of ${tests.length} policies hold`,
  );
}

/** What bindings may name where these connections are: whether there is a twin, only a start says. */
function driversOf(connections: string): readonly string[] {
  return ['twin', ...targetNames(connections).map((name) => `webhook:${name}`)];
}

function filesOf(dir: string): readonly string[] {
  if (!existsSync(dir) || !statSync(dir).isDirectory())
    throw new CliError(`no folder ${dir}`, 'name a folder of *.yaml files', EXIT.usage);
  const files = configurationFiles(dir);
  if (files.length === 0) throw new CliError(`no *.yaml in ${dir}`, 'name a folder of *.yaml files', EXIT.usage);
  return files;
}

function caseFiles(dir: string): readonly string[] {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.test\.ya?ml$/.test(name)).sort();
}

function testFile(dir: string, file: string): { cases: number; problems: readonly string[] } {
  const of = file.replace(/\.test(\.ya?ml)$/, '$1');
  if (!existsSync(join(dir, of))) return { cases: 0, problems: [`${file}: there is no ${of}`] };
  let cases = 0;
  const problems = problemsOf(file, () => {
    const text = read(dir, of);
    const policy = parsePolicy(text);
    const config = PlannerConfig.parse({});
    return readYaml(read(dir, file), PolicyCases).cases.flatMap(({ name, given, expect }) => {
      cases += 1;
      const { verdict, gates, sentence } = tryPolicy(policy, text, given, config);
      const isSame = verdict === expect.verdict && sorted(gates) === sorted(expect.gates);
      const found = `${verdict}${gates.length > 0 ? ` (${sorted(gates)})` : ''}`;
      const wanted = `${expect.verdict}${expect.gates.length > 0 ? ` (${sorted(expect.gates)})` : ''}`;
      return isSame ? [] : [`${file}: ${name}: ${found}, expected ${wanted}: ${sentence}`];
    });
  });
  return { cases, problems };
}

function problemsOf(file: string, check: () => readonly string[] | void): readonly string[] {
  try {
    return check() ?? [];
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    return error.message
      .replace(/^policy is invalid: /, '')
      .split('; ')
      .map((problem) => `${file}:${problem}`);
  }
}

function report(problems: readonly string[], fine: string): void {
  for (const problem of problems) process.stdout.write(`${inert(problem)}\n`);
  process.stderr.write(problems.length === 0 ? `${fine}\n` : `${problems.length} problems\n`);
  if (problems.length > 0) process.exitCode = EXIT.fail;
}

function read(dir: string, file: string): string {
  return readFileSync(join(dir, file), 'utf8');
}

function sorted(gates: readonly string[]): string {
  return [...gates].sort().join(', ');
}
