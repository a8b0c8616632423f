import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { goodItem, requestOf } from './wire.ts';

// Goal: a file that cannot be used is refused before anything comes of it, by its name, its line and what to do; a line of a
// recording that cannot be read costs no other. Method: the real command over files; inputs 30 to 35 and 38 of docs/bad-inputs.md, and
// what `replay` and `detect` are given.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const SHIPPED = new URL('../../../services/planner/policies/throttle-overloaded-service.yaml', import.meta.url);
const GOOD = readFileSync(SHIPPED, 'utf8');
const SLO = `kind: ServiceLevelObjective
metadata: { name: web }
spec: { environment: prod, service: web, objectiveRatio: 0.99 }
`;
const BINDING = `kind: TargetBinding
metadata: { name: web }
spec: { environment: prod, service: web, target: { driver: twin, name: web } }
`;
/** One line of cause, one of fix. */
const TWO_LINES = /^flyball: [^\n]+\nfix: [^\n]+\n$/;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'flyball-files-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const run = (...args: string[]) => {
  const env = {
    ...process.env,
    HOME: dir,
    FLYBALL_API_PORT: '0',
    FLYBALL_INGEST_GRPC_PORT: '0',
    FLYBALL_INGEST_HTTP_PORT: '0',
  };
  return spawnSync(BIN, args, { encoding: 'utf8', env, cwd: dir, timeout: 30_000, maxBuffer: 64 * 1024 * 1024 });
};
function write(name: string, text: string | Uint8Array): string {
  const path = join(dir, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** `&a [x, x]` nested so that it would unfold to a billion texts. */
const BOMB = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
  .concat([...'bcdefghi'].map((key, at) => `${key}: &${key} [${Array(10).fill(`*${'abcdefghi'[at]}`).join(', ')}]`))
  .join('\n');

describe('policies, objectives and bindings', () => {
  test.each<[string, string, RegExp]>([
    ['bad indentation', GOOD.replace('  autonomy', ' autonomy'), /bad\.yaml:\d+:\d+ /],
    [
      'a misspelt key',
      GOOD.replace('cooldownSeconds', 'coolDownSecond'),
      /21:5 unknown key .*did you mean cooldownSeconds\?/,
    ],
    ['no cooldown', GOOD.replace(/ {4}cooldownSeconds.*\n/, ''), /unsafe: .*cooldownSeconds/],
    ['no budget', GOOD.replace(/ {4}maxPerHour.*\n/, ''), /unsafe: .*maxPerHour/],
    ['all environments', GOOD.replace('[demo*]', "['*']"), /unsafe: .*environments/],
    [
      'a pattern that may take for ever',
      GOOD.replace('service.requestRatio >= 1.5', 'service.name.matches("(a+)+$")'),
      /matches/,
    ],
    [
      'a name that there is not',
      GOOD.replace('service.requestRatio >= 1.5', 'service.requestRate >= 1.5'),
      /did you mean requestRatio/,
    ],
    ['a number that is none', GOOD.replace('maxPerHour: 3', 'maxPerHour: .nan'), /maxPerHour/],
    ['a bomb of aliases', `kind: RemediationPolicy\n${BOMB}`, /./],
    ['five megabytes', `${GOOD}# ${'x'.repeat(5_000_000)}`, /longer than/],
    ['a prototype for a key', `${GOOD}  __proto__: { isAdmin: true }\n`, /unknown key .*__proto__/],
    ['nothing', '', /kind/],
    ['a list', '- kind: RemediationPolicy', /kind/],
    ['bytes that are no text', '\u0000\u0001\ufffd', /bad\.yaml:1:1 /],
    ['a kind that there is not', GOOD.replace('kind: RemediationPolicy', 'kind: RemediationPlan'), /1:1 kind: no kind/],
    ['an objective of 100 %', SLO.replace('0.99', '1'), /3:\d+ spec\.objectiveRatio/],
    ['an objective in percent', SLO.replace('0.99', '99'), /3:\d+ spec\.objectiveRatio/],
    ['an objective with a misspelt key', SLO.replace('service: web', 'servcie: web'), /did you mean service\?/],
    ['a binding without a driver', BINDING.replace('driver: twin, ', ''), /spec\.target\.driver/],
    [
      'a binding to a driver that there is not',
      BINDING.replace('driver: twin', 'driver: kubernetes'),
      /bad\.yaml:3:\d+ no driver kubernetes \(known: twin, webhook:NAME\)/,
    ],
    [
      'a binding to a URL',
      BINDING.replace('driver: twin, name: web }', 'driver: twin, url: "http://169.254.169.254" }'),
      /unknown key spec\.target\.url/,
    ],
  ])('with %s are named with their place; the good file beside is in order', (_what, text, says) => {
    write('policies/bad.yaml', text);
    write('policies/good.yaml', SLO.replaceAll('web', 'cart'));
    const { status, stdout, stderr } = run('policy', 'lint', 'policies');
    const said = stdout + stderr;
    expect(status).toBe(3);
    expect(said).toMatch(says);
    expect(said).toMatch(/bad\.yaml/);
    expect(said).not.toMatch(/good\.yaml|node_modules|\.ts:\d/);
    for (const line of said.split('\n')) expect(line.length).toBeLessThan(2_000);
  });

  test('that are bad keep Flyball from starting, with nothing on record', () => {
    write('policies/bad.yaml', GOOD.replace('ttlSeconds: 20', 'ttlSeconds: 86400'));
    const { status, stderr } = run(
      'start',
      '--no-demo',
      '--data',
      join(dir, 'data'),
      '--policies',
      join(dir, 'policies'),
    );
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/POLICY_INVALID[^\n]*bad\.yaml[^\n]*ttlSeconds/);
  });

  test('that name a connection which there is not are named with those that there are, and keep Flyball from starting', () => {
    const target = '  - { name: deployer, kind: target, url: https://deploy.example.com/x }\n';
    const connections = write('connections.yaml', `connections:\n${target}`);
    const policies = join(dir, 'policies');
    write('policies/good.yaml', BINDING.replace('driver: twin', "driver: 'webhook:deployer'"));
    expect(run('policy', 'lint', policies, '--connections', connections).status).toBe(0);
    write('policies/bad.yaml', BINDING.replace('driver: twin', "driver: 'webhook:deployr'"));
    const lint = run('policy', 'lint', policies, '--connections', connections);
    expect(lint.status).toBe(3);
    expect(lint.stdout).toMatch(
      /^bad\.yaml:3:\d+ no driver webhook:deployr, did you mean webhook:deployer\? \(known: twin,/,
    );
    expect(run('policy', 'lint', policies).status).toBe(0); // Without connections nobody can tell.
    const { status, stderr } = run('start', '--no-demo', '--data', join(dir, 'data'), '--policies', policies);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/POLICY_INVALID[^\n]*bad\.yaml[^\n]*no driver webhook:deployr \(known: none/);
  });
});

describe('a file of connections', () => {
  test.each<[string, string, RegExp]>([
    ['to the metadata service', 'url: https://169.254.169.254/x', /169\.254|public/],
    ['to a mapped address', "url: 'https://[::ffff:127.0.0.1]/x'", /public/],
    ['to a short form of this machine', 'url: https://127.1/x', /public/],
    ['with a user', 'url: https://x@hooks.example.com/x', /./],
    ['without encryption', 'url: http://hooks.example.com/x', /https/i],
    ['with a misspelt key', 'ulr: https://hooks.example.com/x', /did you mean url|unknown key/],
  ])('%s keeps Flyball from starting', (_what, line, says) => {
    const file = write('connections.yaml', `connections:\n  - name: hook\n    kind: slack\n    ${line}\n`);
    const env = {
      ...{
        ...process.env,
        HOME: dir,
        FLYBALL_API_PORT: '0',
        FLYBALL_INGEST_GRPC_PORT: '0',
        FLYBALL_INGEST_HTTP_PORT: '0',
      },
      FLYBALL_STANDALONE_CONNECTIONS_FILE: file,
    };
    const about = { encoding: 'utf8' as const, env, timeout: 20_000 };
    const { status, stderr } = spawnSync(BIN, ['start', '--no-demo', '--data', join(dir, 'data')], about);
    expect(status).toBeGreaterThan(0);
    expect(stderr).toMatch(/CONNECTIONS_INVALID/);
    expect(stderr).toMatch(says);
  });
});

describe('a topology', () => {
  const recording = () => write('day.jsonl', `${requestOf('traces', 'web', [goodItem('traces')])}\n`);
  test.each([
    ['of another form', 'web: cart'],
    ['of edges to nobody', 'edges: [{ caller: web }]'],
    ['with a misspelt key', 'edges: [{ caller: web, calee: cart }]'],
    ['that is no YAML', 'edges: [{'],
    ['that is a bomb', BOMB],
  ])('%s is refused in two lines', (_what, text) => {
    const { status, stderr } = run('replay', recording(), '--topology', write('topology.yaml', text));
    expect(status).toBe(2);
    expect(stderr).toMatch(TWO_LINES);
    expect(stderr).toContain('topology.yaml');
  });
});

describe('a recording', () => {
  const good = (service: string) => requestOf('traces', service, [goodItem('traces')]);
  const spansOf = (stdout: string) => (JSON.parse(stdout) as { spans: number; problems?: number }).spans;

  test.each<[string, string]>([
    ['half a line', '{"resourceSpans":['],
    ['a line that is null', 'null'],
    ['a line that is a number', '7'],
    ['a line that is a list', '[{}]'],
    ['a line of brackets', '['.repeat(200_000)],
    ['a list where an object belongs', '{"resourceSpans":{}}'],
    ['a span that is none', '{"resourceSpans":[{"scopeSpans":[{"spans":[null]}]}]}'],
    ['an id that is no hex', requestOf('traces', 'bad', [{ ...goodItem('traces'), traceId: 'xyz' }])],
    ['a time that is none', requestOf('traces', 'bad', [{ ...goodItem('traces'), endTimeUnixNano: 'now' }])],
    ['bytes that are no text', '\u0000\u0001\ufffd'],
  ])('with %s is replayed without it, and it is named', (_what, line) => {
    const file = write('day.jsonl', `${good('web')}\n${line}\n\n${good('cart')}\n`);
    const { status, stdout, stderr } = run('replay', file, '--out', join(dir, 'out'), '--windows');
    expect(status).toBe(0);
    expect(stderr).toMatch(/day\.jsonl:2 is left out: [^\n]{3,300}\n/);
    expect(stderr).not.toMatch(/node_modules|\.ts:\d|Cannot (read|destructure)|is not iterable|is not a function/);
    expect(spansOf(stdout)).toBe(2);
  });

  test.each<[string, string, Uint8Array]>([
    ['gzip that is none', 'day.jsonl.gz', randomBytes(500)],
    ['cut gzip', 'day.jsonl.gz', gzipSync(randomBytes(5_000)).subarray(0, 2_000)],
    ['zstd that is none', 'day.jsonl.zst', randomBytes(500)],
    ['cut zstd', 'day.jsonl.zst', zstdCompressSync(randomBytes(5_000)).subarray(0, 2_000)],
    ['nothing but bytes', 'day.jsonl', randomBytes(5_000)],
  ])('that is %s is refused, in one line of cause and one of fix at the end', (_what, name, bytes) => {
    const { status, stderr } = run('replay', write(name, bytes), '--out', join(dir, 'out'));
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/flyball: [^\n]+\nfix: [^\n]+\n$/);
    expect(stderr).not.toMatch(/report this|node_modules|\.ts:\d/);
  });

  test.each<[string, Uint8Array]>([
    ['a length beyond all', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 3)],
    ['a message that is cut', Uint8Array.of(0, 0, 0, 99, 1, 2, 3)],
    ['a frame of zstd that is none', Uint8Array.of(0, 0, 0, 8, 0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3, 4)],
  ])('of length-prefixed messages with %s is refused', (_what, bytes) => {
    const { status, stderr } = run('replay', write('day.bin', bytes), '--signal', 'traces', '--out', join(dir, 'out'));
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/flyball: [^\n]+\nfix: [^\n]+\n$/);
    expect(stderr).not.toMatch(/report this|node_modules|\.ts:\d/);
  });

  test('of an archive that is not there, or of a time that is none, is refused', () => {
    const nowhere = run('replay', 'file:///nowhere/at/all');
    expect(nowhere.status).toBe(4);
    expect(nowhere.stderr).toMatch(TWO_LINES);
    const sometime = run('replay', 'file:///nowhere', '--from', 'yesterday');
    expect(sometime).toMatchObject({ status: 2, stderr: expect.stringMatching(TWO_LINES) });
  });
});

describe('a series', () => {
  const rows = Array.from({ length: 60 }, (_, at) => `${1_700_000_000 + at * 60},${10 + (at % 3)}`);
  test.each<[string, string, RegExp]>([
    ['a value that is none', 'high', /line 62/],
    ['a time that is none', '', /./],
  ])('with %s is answered up to there, and the line is named', (_what, value, says) => {
    const bad = value === '' ? 'noon,1' : `1700009000,${value}`;
    const file = write('cpu.csv', `timestamp,value\n${rows.join('\n')}\n${bad}\n1700009060,1\n`);
    const { status, stdout, stderr } = run('detect', file);
    expect(status).toBe(1);
    expect(stdout.trim().split('\n')).toHaveLength(61);
    expect(stderr).toMatch(TWO_LINES);
    expect(stderr).toMatch(says);
  });

  test.each<[string, string | Uint8Array]>([
    ['bytes that are no text', randomBytes(3_000)],
    ['one line without an end', 'x'.repeat(3_000_000)],
    ['a header alone', 'timestamp,value\n'],
    ['nothing', ''],
  ])('that is %s takes nobody down', (_what, bytes) => {
    const { status, stdout, stderr } = run('detect', write('cpu.csv', bytes));
    expect([0, 1]).toContain(status);
    expect(stdout.startsWith('timestamp,value,expected,score,alert\n')).toBe(true);
    if (status === 1) expect(stderr).toMatch(TWO_LINES);
    expect(stderr.length).toBeLessThan(2_000);
  });
});
