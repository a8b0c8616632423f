import { program } from '@flyball/cli';
import { hasCommand, skipWithout } from '@flyball/testing';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

// Goal: who does not know a command finds out from the command line alone how it is used, and a mistake is answered with what to
// do. Method: every command that the help lists, asked for its own help; the completions in the real shells, where there are any.

const CLI = new URL('../../../services/cli/src/main.ts', import.meta.url).pathname;
const flyball = (...args: readonly string[]) => {
  const env = { ...process.env, HOME: dir, COLUMNS: '200' };
  return spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', env });
};

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'flyball-help-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Every command that does something, as the words that call it, and what its help says. */
function leaves(command = program(), path: readonly string[] = []): readonly { path: string; help: string }[] {
  const inner = command.commands.flatMap((each) => leaves(each, [...path, each.name()]));
  if (inner.length > 0) return inner;
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return [{ path: path.join(' '), help }];
}

test('every command shows examples that call it', () => {
  const commands = leaves();
  expect(commands.length).toBeGreaterThan(25);
  for (const { path, help } of commands) {
    const [, examples = ''] = help.split('\nExamples:\n');
    expect(examples, `flyball ${path} --help`).toContain(`flyball ${path}`);
  }
});

test('a help is printed to standard output, and is no failure', () => {
  const { stdout, status } = flyball('connections', 'test', '--help');
  expect(status).toBe(0);
  expect(stdout).toContain('\nExamples:\n  flyball connections test ');
});

test.each([
  [
    'a command that there is not',
    ['servicse'],
    2,
    /^flyball: unknown command 'servicse'\nfix: did you mean services\?\n$/,
  ],
  ['an option that there is not', ['services', '--dta', 'x'], 2, /^flyball: unknown option '--dta'\nfix: [^\n]+\n$/],
  [
    'an option that is missing',
    ['gate', 'web'],
    2,
    /^flyball: required option '--version <version>' not [^\n]+\nfix: [^\n]+\n$/,
  ],
  ['an argument that is missing', ['explain'], 2, /^flyball: missing required argument 'id'\nfix: [^\n]+\n$/],
  ['a shell that there is not', ['completion', 'cmd'], 2, /^flyball: [^\n]+ bash, zsh, fish\.\nfix: [^\n]+\n$/],
  [
    'nobody who answers',
    ['services', '--url', 'http://127.0.0.1:1'],
    1,
    /^flyball: no Flyball answers [^\n]+\nfix: [^\n]+\n$/,
  ],
  ['nobody who ever ran', ['incidents'], 1, /^flyball: no Flyball has run [^\n]+\nfix: [^\n]+\n$/],
  ['an audit that is not there', ['audit', 'verify'], 4, /flyball: there is no audit here\nfix: [^\n]+\n$/],
  ['a folder that is not there', ['policy', 'lint', '/nowhere'], 2, /^flyball: no folder [^\n]+\nfix: [^\n]+\n$/],
])('%s is one line of cause, one of fix, and its exit code', (_name, args, status, message) => {
  const said = flyball(...args);
  expect([said.status, said.stderr]).toEqual([status, expect.stringMatching(message)]);
});

const bash = (words: readonly string[]) => {
  const script = flyball('completion', 'bash').stdout;
  const typed = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _flyball; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = spawnSync('bash', ['-c', `${script}\n${ask}`], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line !== '');
};

test('bash completes commands, commands in commands, and options', () => {
  expect(bash(['flyball', 'do'])).toEqual(['doctor']);
  expect(bash(['flyball', 'policy', ''])).toEqual(['lint', 'test', '--help']);
  expect(bash(['flyball', 'gate', 'checkout', '--v'])).toEqual(['--version']);
});

const missingShell = (name: string) =>
  hasCommand(name) ? undefined : `no ${name} on the PATH: apt-get install ${name}`;

test('fish completes them too', (context) => {
  skipWithout(context, missingShell('fish'));
  const script = join(dir, 'flyball.fish');
  const { status } = spawnSync('bash', ['-c', `"${process.execPath}" "${CLI}" completion fish > "${script}"`]);
  expect(status).toBe(0);
  const ask = (line: string) => {
    const env = { ...process.env, HOME: dir };
    const { stdout } = spawnSync('fish', ['-c', `source ${script}; complete -C'${line}'`], { encoding: 'utf8', env });
    return stdout.split('\n').flatMap((each) => (each === '' ? [] : [each.split('\t')[0]]));
  };
  expect(ask('flyball doc')).toEqual(['doctor']);
  expect(ask('flyball policy ')).toEqual(expect.arrayContaining(['lint', 'test']));
  expect(ask('flyball gate --v')).toEqual(['--version']);
});

test('zsh completes them too', (context) => {
  skipWithout(context, missingShell('zsh'));
  const script = flyball('completion', 'zsh').stdout;
  const ask = `compdef() { :; }\n${script}\n_describe() { print -l -- \${(P)2}; }\nwords=(flyball policy ''); CURRENT=3; _flyball`;
  const { stdout } = spawnSync('zsh', ['-f', '-c', ask], { encoding: 'utf8' });
  expect(stdout.split('\n').map((line) => line.split(':')[0])).toEqual(['lint', 'test', '--help', '']);
});

test('a command line that needs no server loads none: it is there at once, also when a shell completes a word', () => {
  const hook = join(dir, 'loaded.mjs');
  writeFileSync(
    hook,
    `import { registerHooks } from 'node:module';
const loaded = new Set();
registerHooks({ load: (url, context, next) => (loaded.add(url), next(url, context)) });
process.on('exit', () => process.stderr.write([...loaded].join('\\n')));
`,
  );
  const { status, stderr } = spawnSync(process.execPath, ['--import', hook, CLI, '--help'], { encoding: 'utf8' });
  expect(status).toBe(0);
  const packages = [...stderr.matchAll(/.*\/node_modules\/((?:@[^/]+\/)?[^/\n]+)/g)].map(([, name]) => name!);
  const services = [...stderr.matchAll(/\/services\/([a-z]+)\//g)].map(([, name]) => name!);
  expect(new Set(services)).toEqual(new Set(['cli']));
  expect(packages).toContain('commander');
  for (const heavy of ['kafkajs', 'fastify', 'pino', 'zod', '@opentelemetry/api', '@aws-sdk/client-s3']) {
    expect(packages).not.toContain(heavy);
  }
});
