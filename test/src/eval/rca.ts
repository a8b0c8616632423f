import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../../node_modules/.bin/flyball', import.meta.url));
/** An incident counts for a fault when it was opened within `[at − EARLY, at + LATE]`. */
const EARLY_MS = 15_000;
const LATE_MS = 5 * 60_000;
const RANKS = [1, 3, 5] as const;

/** A fault that was injected, and the service that it was injected into. */
interface FaultCase {
  readonly id: string;
  readonly environment: string;
  readonly at: string;
  readonly until: string;
  readonly service: string;
  readonly type: string;
}

/** Faults of a recording, and when it was recorded at all. */
interface CaseList {
  readonly recorded: readonly { readonly environment: string; readonly from: string; readonly until: string }[];
  readonly cases: readonly FaultCase[];
}

interface IncidentRow {
  readonly environment: string;
  readonly openedAt: string;
  readonly title: string;
  readonly causes: readonly { readonly rank: number; readonly service: string }[];
}

/** What became of one fault. */
interface Judged {
  readonly fault: FaultCase;
  readonly incidents: number;
  /** Best rank of the true service in one of them; `undefined` where none names it. */
  readonly rank: number | undefined;
}

/**
 * Replays recordings by the real command and compares the incidents with the faults: which were found, on which rank the true
 * service is (strict ranks), and what was opened in time without a fault.
 *
 * @param files - OTLP files, as `flyball replay` takes them. @param casesFile - JSON, see {@link CaseList}.
 */
export function evalRca(files: readonly string[], casesFile: string): void {
  const { cases, recorded } = JSON.parse(readFileSync(casesFile, 'utf8')) as CaseList;
  const out = mkdtempSync(join(tmpdir(), 'flyball-eval-'));
  const startMs = performance.now();
  const { status, stderr } = spawnSync(BIN, ['replay', ...files, '--out', out], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const tookSec = (performance.now() - startMs) / 1_000;
  const incidents = readFileSync(join(out, 'incidents.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as IncidentRow);
  rmSync(out, { recursive: true });
  const judged = cases.map((fault) => judgedBy(fault, incidents));
  const hours = recorded.reduce((sum, { from, until }) => sum + (Date.parse(until) - Date.parse(from)), 0) / 3_600_000;
  const isOfFault = (incident: IncidentRow) =>
    cases.some((fault) => isWithin(incident, fault, Date.parse(fault.until)));
  const stray = incidents.filter((incident) => !isOfFault(incident));
  print(judged, { incidents: incidents.length, stray, hours, tookSec });
}

function judgedBy(fault: FaultCase, incidents: readonly IncidentRow[]): Judged {
  const found = incidents.filter((incident) => isWithin(incident, fault, 0));
  const ranks = found
    .flatMap(({ causes }) => causes)
    .filter(({ service }) => service === fault.service)
    .map(({ rank }) => rank);
  return { fault, incidents: found.length, rank: ranks.length === 0 ? undefined : Math.min(...ranks) };
}

function isWithin({ environment, openedAt }: IncidentRow, fault: FaultCase, untilMs: number): boolean {
  const [openedMs, atMs] = [Date.parse(openedAt), Date.parse(fault.at)];
  return (
    environment === fault.environment && openedMs >= atMs - EARLY_MS && openedMs <= Math.max(atMs + LATE_MS, untilMs)
  );
}

interface Figures {
  readonly incidents: number;
  /** Incidents that were opened in time without a fault. */
  readonly stray: readonly IncidentRow[];
  readonly hours: number;
  readonly tookSec: number;
}

function print(judged: readonly Judged[], { incidents, stray, hours, tookSec }: Figures): void {
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const types = [...new Set(judged.map(({ fault }) => fault.type))].sort();
  say('| faults | n | incident opened | AS@1 | AS@3 | AS@5 |\n|---|---|---|---|---|---|');
  for (const type of [...types, 'all']) {
    const of = judged.filter(({ fault }) => type === 'all' || fault.type === type);
    const within = RANKS.map((most) => of.filter(({ rank }) => rank !== undefined && rank <= most).length);
    say(`| ${type} | ${of.length} | ${of.filter((each) => each.incidents > 0).length} | ${within.join(' | ')} |`);
  }
  say(`\n${incidents} incidents, ${stray.length} of them in time without a fault, ${hours.toFixed(1)} h recorded`);
  say(`${(tookSec / hours).toFixed(1)} s per recorded hour`);
  for (const { fault, incidents: count, rank } of judged) {
    say(`${fault.at} ${fault.type.padEnd(14)} ${fault.service.padEnd(30)} incidents ${count} rank ${rank ?? '-'}`);
  }
  for (const { openedAt, title } of stray) say(`no fault  ${openedAt} ${title.slice(0, 120)}`);
}
