import type { Findings } from './findings.ts';
import { rawChunks } from './raw-spans.ts';
import type { PartitionRecords } from './topic-records.ts';

/** Spans of a life of ingest by what became of them. */
export type IngestCounts = Readonly<Record<'received' | 'stored' | 'rejected' | 'shed' | 'unknown', number>>;

/** Reads the counters of an ingest. @throws when it does not answer. */
export async function ingestCounts(health: string, what: 'spans' | 'requests'): Promise<IngestCounts> {
  const text = await (await fetch(`${health}/metrics`)).text();
  const of = (outcome: string) =>
    Number(
      new RegExp(`^flyball_ingest_${what}_total\\{(?:signal="traces",)?outcome="${outcome}"\\} (\\d+)`, 'm').exec(
        text,
      )?.[1] ?? NaN,
    );
  const [received, stored, rejected] = [of('received'), of('stored'), of('rejected')];
  return { received, stored, rejected, shed: of('shed'), unknown: of('unknown') };
}

/** Received = stored + rejected + shed + unknown. Only while nothing is under way. */
export function checkBalance(counts: IngestCounts, what: string, findings: Findings): void {
  const { received, stored, rejected, shed, unknown } = counts;
  const isBalanced = received === stored + rejected + shed + unknown;
  findings.expect(isBalanced, `ingest's ${what} do not add up: ${JSON.stringify(counts)}`);
}

/** What the newest life of ingest says it stored is in the log under its name; what is unknown may be, too. */
export function checkStored(raw: readonly PartitionRecords[], counts: IngestCounts, findings: Findings): void {
  const byRun = new Map<string, number>();
  let newest = { run: '', atMs: -Infinity };
  for (const { counted } of raw) {
    for (const { headers, value, appendedAtMs } of counted) {
      const run = /@writer:ingest\/([^.]+)\./.exec(headers['flyball-provenance'] ?? '')?.[1];
      if (run === undefined) continue;
      if (appendedAtMs > newest.atMs) newest = { run, atMs: appendedAtMs };
      const spans = (rawChunks(value) ?? []).reduce((sum, chunk) => sum + chunk.spans.length, 0);
      byRun.set(run, (byRun.get(run) ?? 0) + spans);
    }
  }
  const inLog = byRun.get(newest.run) ?? 0;
  const isSo = inLog >= counts.stored && inLog <= counts.stored + counts.unknown;
  findings.expect(isSo, `ingest says ${counts.stored} spans stored, ${counts.unknown} unknown; the log has ${inLog}`);
  findings.note('ingest lives', byRun.size);
}
