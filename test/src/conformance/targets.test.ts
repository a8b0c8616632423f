import { TwinTarget } from '@flyball/target-twin';
import { isPrivateAddress, parseConnections } from '@flyball/outbound';
import { WebhookTarget } from '@flyball/target-webhook';
import { FakeTarget, targetConformance } from '@flyball/testing';
import { controlApi, SideSignals, Telemetry, Twin } from '@flyball/twin';
import type { Command } from '@flyball/contracts';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebhookReceiver } from './webhook-receiver.ts';

// Goal: whatever a command acts on keeps the contract that the actuator relies on, and a webhook goes nowhere but where an admin
// meant it to. Method: the contract test over every driver; a receiver that checks signatures; addresses of every kind.

const SECRET = 'a-secret-of-the-test';
const at = (driver: string) => ({ tenant: 'default', environment: 'demo', driver, name: 'checkout' });
const INSTANCE = 'checkout-v1-1';

targetConformance('memory', async () => {
  const driver = new FakeTarget();
  driver.open('demo', 'checkout', 'v1');
  const stop = async () => void (driver.isAway = true);
  return {
    driver,
    target: at('fake'),
    instance: INSTANCE,
    deploy: async () => driver.deploy('demo', 'checkout', 'v2'),
    stop,
  };
});

targetConformance('twin', async () => {
  const telemetry = new Telemetry('http://127.0.0.1:1');
  const sideSignals = new SideSignals('http://127.0.0.1:1');
  const twin = new Twin({
    telemetry,
    sideSignals,
    requestsPerSecond: 1,
    rollbackMs: 0,
    onDeploy: async () => undefined,
  });
  twin.openShop('demo', 1);
  const server = controlApi(twin);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    ...{ driver: new TwinTarget(`http://127.0.0.1:${port}`), target: at('twin'), instance: INSTANCE },
    deploy: async () => void (await twin.deploy('demo', { service: 'checkout', version: 'v2' })),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await telemetry.close();
    },
  };
});

const connectionTo = (port: number, more: object = {}) => ({
  ...{ name: 'test', kind: 'target' as const, url: new URL(`http://127.0.0.1:${port}/flyball`), secret: SECRET },
  ...{ fencing: 'generation' as const, allowPrivate: true, ...more },
});

targetConformance('webhook', async () => {
  const receiver = await WebhookReceiver.open(SECRET);
  return {
    ...{ driver: new WebhookTarget(connectionTo(receiver.port)), target: at('webhook:test'), instance: INSTANCE },
    deploy: async () => void receiver.shop.rollouts.deploy('checkout', 'v2', 0),
    stop: () => receiver.close(),
  };
});

describe('a webhook', () => {
  let receiver: WebhookReceiver;
  beforeEach(async () => {
    receiver = await WebhookReceiver.open(SECRET);
  });
  afterEach(() => receiver.close());
  const COMMAND = {
    ...{ commandId: 'c-1', target: at('webhook:test'), generation: [0, 1], ttlMs: null },
    action: { type: 'rollback', fromVersion: 'v2', toVersion: 'v1' },
  } as Command;
  const apply = (more: object = {}, timeoutMs = 5_000) =>
    new WebhookTarget(connectionTo(receiver.port, more)).apply(COMMAND, AbortSignal.timeout(timeoutMs));

  test('is taken only with the right secret', async () => {
    expect(await apply({ secret: 'another-secret-than-its' })).toMatchObject({ status: 'failed' });
    expect(receiver.taken).toEqual([]);
    await apply();
    expect(receiver.taken).toMatchObject([{ type: 'apply', commandId: 'c-1', generation: [0, 1], ttlMs: null }]);
  });

  test.each([
    ['says 500', { status: 500, body: '' }],
    ['says 204, as what has nothing to tell does', { status: 204, body: '' }],
    ['says 202, as what will see to it does', { status: 202, body: '{"status":"applied"}' }],
    ['says 408, as what is between does', { status: 408, body: '' }],
    ['answers what nobody can read', { status: 200, body: '<html>' }],
    [
      'answers without an end',
      { status: 200, body: JSON.stringify({ status: 'applied', before: 'x'.repeat(100_000) }) },
    ],
    ['does not answer', 'hang' as const],
  ])('that %s leaves nobody knowing, and is not asked twice', async (_what, answer) => {
    receiver.answer = answer;
    await expect(apply({}, 300)).rejects.toMatchObject({ kind: 'unavailable', code: 'TARGET_UNKNOWN' });
    expect(receiver.taken).toHaveLength(1);
  });

  test('does not follow a redirect', async () => {
    const other = await WebhookReceiver.open(SECRET);
    receiver.answer = { status: 307, body: '', location: `http://127.0.0.1:${other.port}/flyball` };
    expect(await apply()).toMatchObject({ status: 'failed', detail: 'the webhook answered 307' });
    expect(other.taken).toEqual([]);
    await other.close();
  });

  test('to a name of this machine is blocked before anything is sent, unless that is meant', async () => {
    const url = new URL(`http://localhost:${receiver.port}/`);
    await expect(apply({ url, allowPrivate: false })).rejects.toMatchObject({ code: 'TARGET_UNAVAILABLE' });
    expect(receiver.taken).toEqual([]);
  });
});

describe('the file of connections', () => {
  const readConnections = (text: string, env: Record<string, string>) =>
    parseConnections([{ path: 'connections.yaml', text }], env, ['target']).connections;
  const env = { FLYBALL_WEBHOOK_DEPLOYER_SECRET: SECRET };
  const file = (url: string, more = '') => `connections:\n  - { name: deployer, url: '${url}'${more} }\n`;

  test('names connections, with secrets from the environment; what does not fence needs a person', () => {
    const [connection] = readConnections(file('https://deploy.example.com/flyball'), env);
    expect(connection).toMatchObject({ name: 'deployer', secret: SECRET, fencing: 'none', allowPrivate: false });
    expect(new WebhookTarget(connection!)).toMatchObject({ name: 'webhook:deployer', fencing: 'none' });
  });

  test.each([
    ['plain http', 'http://deploy.example.com/', ''],
    ['plain http to a name that looks like this machine', 'http://127.example.com/', ''],
    ['the metadata service', 'https://169.254.169.254/latest', ''],
    ['a mapped address', 'https://[::ffff:127.0.0.1]/', ''],
    ['a short form of this machine', 'https://127.1/', ''],
    ['an octal form', 'https://0177.0.0.1/', ''],
    ['one number', 'https://2130706433/', ''],
    ['a private network', 'https://10.1.2.3/', ''],
    ['a user', 'https://x@deploy.example.com/', ''],
    ['another scheme', 'file:///etc/passwd', ''],
    ['an unknown key', 'https://deploy.example.com/', ', secret: x'],
  ])('is refused with %s', (_what, url, more) => {
    expect(() => readConnections(file(url, more), env)).toThrow(/connections are invalid/);
  });

  test('is refused without a secret, or with a short one', () => {
    const url = 'https://deploy.example.com/';
    expect(() => readConnections(file(url), {})).toThrow(/FLYBALL_WEBHOOK_DEPLOYER_SECRET/);
    expect(() => readConnections(file(url), { FLYBALL_WEBHOOK_DEPLOYER_SECRET: 'short' })).toThrow(/16 characters/);
  });

  test('may mean this machine if it says so', () => {
    expect(readConnections(file('http://127.0.0.1:9000/', ', allowPrivate: true'), env)).toHaveLength(1);
  });
});

test.each([
  ...['127.0.0.1', '10.0.0.1', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1'],
  ...['::1', '::', 'fe80::1', 'fc00::1', 'ff02::1', '::ffff:8.8.8.8', '64:ff9b::7f00:1', '2002:7f00:1::', 'no address'],
  ...['64:ff9b:1::7f00:1', '::ffff:0:7f00:1', 'fec0::1', '3fff::1', '5f00::1'],
])('%s is no address of the public internet', (address) => {
  expect(isPrivateAddress(address)).toBe(true);
});

test.each(['8.8.8.8', '172.32.0.1', '2606:4700::1111'])('%s is one', (address) => {
  expect(isPrivateAddress(address)).toBe(false);
});
