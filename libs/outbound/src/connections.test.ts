import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ConnectionKind, parseConnections, readConnections } from './connections.ts';

// Goal: a mistake in the file of connections is found at the start, at its place, and not when somebody should be called.
// Method: files with one mistake each; secrets by variable and by file.

const KINDS: readonly ConnectionKind[] = ['alertmanager', 'slack', 'webhook', 'heartbeat'];
const SECRET = 'a-secret-of-the-test';
const read = (text: string, env: Record<string, string> = {}, kinds = KINDS) =>
  parseConnections([{ path: 'c.yaml', text }], env, kinds);
const lines = (...rest: string[]) => ['connections:', ...rest, ''].join('\n');

test('a connection is told of everything unless it says what of', () => {
  const text = lines('  - { name: alerts, kind: alertmanager, url: "http://am:9093", allowPrivate: true }');
  expect(read(text).connections).toEqual([
    {
      ...{ name: 'alerts', kind: 'alertmanager', url: new URL('http://am:9093'), allowPrivate: true, secret: '' },
      ...{ severities: ['critical', 'warning'], environments: ['*'], services: ['*'] },
    },
  ]);
});

test.each([
  [
    'an unknown key',
    ['  - name: a', '    kind: slack', '    chanel: x'],
    /c\.yaml:4:5 unknown key connections\.0\.chanel/,
  ],
  ['an unknown kind', ['  - name: a', '    kind: pager'], /c\.yaml:3:5 /],
  ['a severity that is none', ['  - name: a', '    kind: slack', '    severities: [page]'], /c\.yaml:4:18 /],
  ['a name twice', ['  - name: a', '    kind: slack', '  - name: a', '    kind: slack'], /c\.yaml:4:5 there are two/],
  [
    'plain http',
    ['  - name: a', '    kind: slack', '    url: http://hooks.example.com/x'],
    /c\.yaml:4:5 a: url must be https/,
  ],
  [
    'plain http to a private network, for what is signed',
    ['  - name: a', '    kind: webhook', '    url: http://10.0.0.1/x', '    allowPrivate: true'],
    /c\.yaml:4:5 a: url must be https/,
  ],
  [
    'the metadata service',
    ['  - name: a', '    kind: heartbeat', '    url: https://169.254.169.254/'],
    /c\.yaml:4:5 a: 169\.254\.169\.254 is not public/,
  ],
  [
    'no url anywhere',
    ['  - name: a-b', '    kind: slack'],
    /a-b: there is no url, and FLYBALL_CONNECTION_A_B_URL holds none/,
  ],
  ['no secret', ['  - name: a', '    kind: webhook', '    url: https://a.example.com'], /FLYBALL_WEBHOOK_A_SECRET/],
  ['text that is no YAML', ['  - {'], /c\.yaml:/],
])('it is refused with %s', (_what, more, problem) => {
  expect(() => read(lines(...more))).toThrow(problem);
  expect(() => read(lines(...more))).toThrow(expect.objectContaining({ code: 'CONNECTIONS_INVALID' }));
});

describe('the dead-man signal', () => {
  const pinged = (name: string) =>
    [
      lines(
        '  - { name: t, url: "https://a.example.com" }',
        '  - { name: hc, kind: heartbeat, url: "https://b.example.com" }',
      ),
    ]
      .concat(`deadman: { connections: [${name}] }`)
      .join('');
  test('goes to a connection of the file, each minute if nothing is said', () => {
    expect(read(pinged('hc')).deadman).toEqual({ everyMs: 60_000, connections: ['hc'] });
  });
  test.each(['nobody', 't'])('does not go to %s', (name) => {
    expect(() => read(pinged(name))).toThrow(`deadman: ${name} is no connection that can be told`);
  });
});

test('an address that is a secret is held to the same rules, and is in no error', () => {
  const text = lines('  - { name: ops, kind: slack }');
  const url = 'https://hooks.slack.com/services/T0/B0/very-secret';
  expect(read(text, { FLYBALL_CONNECTION_OPS_URL: url }).connections[0]!.url.href).toBe(url);
  const wrong = () => read(text, { FLYBALL_CONNECTION_OPS_URL: 'http://10.0.0.1/very-secret' });
  expect(wrong).toThrow(/must be https/);
  expect(wrong).not.toThrow(/very-secret/);
});

test('whoever asks needs the secrets of its own kinds alone', () => {
  const text = lines(
    '  - { name: deployer, url: "https://deploy.example.com" }',
    '  - { name: tickets, kind: webhook, url: "https://tickets.example.com" }',
  );
  const names = (env: Record<string, string>, kinds: readonly ConnectionKind[]) =>
    read(text, env, kinds).connections.map(({ name }) => name);
  expect(names({ FLYBALL_WEBHOOK_DEPLOYER_SECRET: SECRET }, ['target'])).toEqual(['deployer']);
  expect(names({ FLYBALL_WEBHOOK_TICKETS_SECRET: SECRET }, KINDS)).toEqual(['tickets']);
});

test('a folder of files is read whole; secrets may be files too', () => {
  const dir = mkdtempSync(join(tmpdir(), 'connections-'));
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  write('a.yaml', lines('  - { name: one, kind: webhook, url: "https://a.example.com" }'));
  write('b.yml', lines('  - { name: two, kind: heartbeat, url: "https://b.example.com" }'));
  write('secret', `${SECRET}\n`);
  const env = { FLYBALL_WEBHOOK_ONE_SECRET_FILE: join(dir, 'secret') };
  const found = readConnections(dir, env, KINDS).connections;
  expect(found.map(({ name, secret }) => [name, secret])).toEqual([
    ['one', SECRET],
    ['two', ''],
  ]);
  write('c.yaml', lines('  - { name: two, kind: slack }'));
  expect(() => readConnections(dir, env, KINDS)).toThrow(/c\.yaml:2:7 there are two connections two/);
  rmSync(dir, { recursive: true });
  expect(() => readConnections(dir, env, KINDS)).toThrow(/cannot be read/);
});
