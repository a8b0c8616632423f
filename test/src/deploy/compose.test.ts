import { Ajv2019 } from 'ajv/dist/2019.js';
import { COMPOSE_SCHEMA } from './compose-schema.ts';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { clusterSettings } from '../cluster/settings.ts';
import { targetsOf } from './dockerfile.ts';

// Goal: somebody who types "docker compose up" gets what "npm run cluster" runs and the tests have seen. Method: no engine runs
// here, so the files are held against the compose schema, against each other, and against the cluster's settings.

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');
interface Service {
  image?: string;
  build?: { target: string };
  read_only?: boolean;
  cap_drop?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
}
const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> };
const targets = targetsOf(read('deploy/Dockerfile'));
const SERVICES = ['ingest', 'aggregator', 'detector', 'planner', 'auditor', 'actuator', 'archiver', 'notifier', 'api'];

test('docker-compose.yml is valid', () => {
  const validate = new Ajv2019({
    strict: false,
    formats: { duration: true, expose: true, ports: true, subnet_ip_address: true },
  }).compile(COMPOSE_SCHEMA);
  expect(validate(compose), JSON.stringify(validate.errors)).toBe(true);
});

test('its settings are those that the cluster on one machine runs with, at other addresses', () => {
  const { host, ...services } = parse(read('deploy/compose/flyball.yaml')) as Record<string, Record<string, unknown>>;
  const local = clusterSettings({ logUrl: 'a', objectsUrl: 'b', hotUrl: 'c' }, '/tmp/cluster') as typeof services;
  const { host: localHost, ...localServices } = local;
  const ADDRESSES = [
    'logUrl',
    'objectsUrl',
    'hotUrl',
    'healthHost',
    'healthPort',
    'host',
    'port',
    'pauseFile',
    'grpcPort',
    'httpPort',
    'dir',
    'connectionsFile',
  ];
  const rest = (part: Record<string, unknown> = {}) =>
    Object.fromEntries(Object.entries(part).filter(([name]) => !ADDRESSES.includes(name)));
  expect(rest(localHost)).toEqual(rest(host));
  expect(Object.keys(rest(host)).length).toBeGreaterThan(1);
  for (const name of SERVICES) expect(rest(localServices[name]), name).toEqual(rest(services[name]));
});

describe.each(SERVICES)('%s', (name) => {
  const service = compose.services[name]!;
  const target = targets.find((each) => each.name === name)!;
  const lines = (word: string) => target.instructions.filter((each) => each.word === word).map(({ text }) => text);

  test('is built from its own target, runs as nobody in particular, and cannot write but where it must', () => {
    expect(service.build?.target).toBe(name);
    expect([service.read_only, service.cap_drop]).toEqual([true, ['ALL']]);
    expect(lines('USER')).toEqual(['node']);
    expect(lines('HEALTHCHECK')[0]).toContain('/readyz');
    expect(lines('FROM')[0]).toMatch(/^node:24\.\d+\.\d+-/);
  });

  test('holds its own service and no other, the API its console too, and waits for topics', () => {
    const own = name === 'api' ? [name, 'console'] : [name];
    expect(lines('COPY').filter((text) => text.startsWith('services'))).toEqual(
      own.map((each) => `services/${each} services/${each}`),
    );
    expect(service.depends_on?.['topics']).toEqual({ condition: 'service_completed_successfully' });
  });
});

test('secrets are given to whom they concern, and no server is latest', () => {
  const holders = (secret: string) =>
    Object.entries(compose.services)
      .filter(([, { environment = {} }]) => secret in environment)
      .map(([name]) => name);
  expect(holders('FLYBALL_CONTROL_TOKEN')).toEqual(['actuator']);
  expect(holders('FLYBALL_CONNECTIONS_TOKEN')).toEqual(['notifier']);
  expect(holders('FLYBALL_TOKEN')).toEqual(['api']);
  for (const [name, { image }] of Object.entries(compose.services)) {
    if (image !== undefined) expect(image, name).toMatch(/:v?\d+\.\d+\.\d+$/);
  }
  expect(compose.services['api']!.ports).toEqual(['127.0.0.1:8080:8080']);
});

test('what must outlive a container is in a volume: the image of Kafka has no place of its own for its log once it gets settings', () => {
  const { environment = {}, volumes = [] } = compose.services['kafka']!;
  expect(volumes).toEqual([`kafka:${environment['KAFKA_LOG_DIRS']}`]);
});
