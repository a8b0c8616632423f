import { type Dirent, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from './stage.ts';
import type { Teller } from './teller.ts';

/** What Flyball itself has cost so far: of one core, of memory, of disk. A process that is just coming back is left out. */
export async function tellCost(stage: Stage, teller: Teller): Promise<void> {
  const { metrics, dirs } = stage.cost();
  const told = (await Promise.all(metrics.map(metricsAt))).filter((text) => text !== undefined);
  const sums = { cores: 0, memoryMb: 0 };
  for (const text of told) {
    const valueOf = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
    const upSeconds = Date.now() / 1_000 - valueOf('process_start_time_seconds');
    sums.cores += valueOf('process_cpu_seconds_total') / upSeconds;
    sums.memoryMb += valueOf('process_resident_memory_bytes') / 1e6;
  }
  const diskMb = dirs.reduce((sum, dir) => sum + sizeOf(dir), 0) / 1e6;
  const of = told.length === metrics.length ? '' : `${told.length} of `;
  const processes = metrics.length === 1 ? '' : ` in ${of}${metrics.length} processes`;
  teller.note(
    'own cost',
    `${sums.cores.toFixed(2)} cores, ${sums.memoryMb.toFixed(0)} MB of memory${processes}, ${diskMb.toFixed(1)} MB of disk`,
  );
}

async function metricsAt(url: string): Promise<string | undefined> {
  try {
    return await (await fetch(`${url}/metrics`)).text();
  } catch {
    return undefined;
  }
}

/** What it declined to do, by the gates that refused. */
export async function tellDeclined(stage: Stage, teller: Teller): Promise<void> {
  const decisions = (await stage.client.incidents()).flatMap((incident) => incident.decisions);
  const declined = decisions.filter(({ verdict }) => verdict === 'declined');
  const counts = new Map<string, number>();
  for (const { gate } of declined.flatMap(({ gates }) => gates.filter(({ passed }) => !passed)))
    counts.set(gate, (counts.get(gate) ?? 0) + 1);
  const by = [...counts].sort(([, a], [, b]) => b - a).map(([gate, count]) => `${gate} ${count}`);
  teller.note(
    'declined',
    `${declined.length} of ${decisions.length} decisions${by.length > 0 ? `, refused by ${by.join(', ')}` : ''}`,
  );
}

/** Files come and go meanwhile. */
function sizeOf(path: string): number {
  return entriesOf(path).reduce((sum, entry) => {
    const at = join(path, entry.name);
    // The reserve of the log is kept free on purpose, and is not use.
    if (entry.name === 'reserve') return sum;
    return sum + (entry.isDirectory() ? sizeOf(at) : (statSync(at, { throwIfNoEntry: false })?.blocks ?? 0) * 512);
  }, 0);
}

function entriesOf(path: string): readonly Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
