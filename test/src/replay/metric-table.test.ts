import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FAULT_AT_MS, type MetricTable, TABLE_SERVICES, tableLines, TABLE_START_MS } from './metric-table.ts';

// Goal: who has nothing but metrics, and no traces that show who calls whom, is told of a fault within minutes, with the service
// that has it first, and is not woken while nothing is wrong. Method: the real command over made-up tables, one per environment.

const BIN = new URL('../../../node_modules/.bin/flyball', import.meta.url).pathname;
const KINDS = { cpu: 'cpu', 'memory leak': 'memory', delay: 'latency', loss: 'errors' } as const;
const TYPES = ['cpu', 'memory leak', 'delay', 'loss'] as const;
const FAULTY = ['cart', 'checkout', 'catalog', 'currency'];
const QUIET = Array.from({ length: 8 }, (_, index) => ({ environment: `quiet-${index}`, seed: 100 + index }));
const LATE_MS = 3 * 60_000;

const faulty: readonly (MetricTable & Required<Pick<MetricTable, 'fault'>>)[] = TYPES.flatMap((type, index) =>
  FAULTY.map((service, other) => {
    return { environment: `${type} ${service}`, seed: 10 * index + other, fault: { service, type } };
  }),
);

interface IncidentRow {
  environment: string;
  openedAt: string;
  causes: { rank: number; service: string; kind: string }[];
}

let dir: string;
let incidents: readonly IncidentRow[];
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'flyball-table-'));
  const lines = [...faulty, ...QUIET].flatMap((table) => tableLines(table));
  writeFileSync(join(dir, 'tables.jsonl'), `${lines.join('\n')}\n`);
  const { status, stderr } = spawnSync(BIN, ['replay', join(dir, 'tables.jsonl'), '--out', dir], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  incidents = readFileSync(join(dir, 'incidents.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as IncidentRow);
}, 60_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test.each(faulty)('$environment is an incident within three minutes, with that service first', (table) => {
  const [first, ...more] = incidents.filter(({ environment }) => environment === table.environment);
  const openedMs = Date.parse(first!.openedAt);
  expect(openedMs).toBeGreaterThan(FAULT_AT_MS);
  expect(openedMs).toBeLessThan(FAULT_AT_MS + LATE_MS);
  const { service, type } = table.fault;
  const kinds = type === 'loss' ? ['errors', 'latency'] : [KINDS[type]];
  expect(first!.causes[0]).toMatchObject({ rank: 1, service });
  expect(kinds).toContain(first!.causes[0]!.kind);
  expect(more).toEqual([]);
});

test('where nothing is wrong there is no incident', () => {
  const hours = (QUIET.length * 2 * (FAULT_AT_MS - TABLE_START_MS)) / 3_600_000;
  expect(hours * TABLE_SERVICES.length).toBeGreaterThan(20);
  expect(incidents.filter(({ environment }) => environment.startsWith('quiet'))).toEqual([]);
});
