import type { Findings } from './findings.ts';
import type { EmittedWindows } from './check-windows.ts';
import type { Ledger } from './ledger.ts';
import { rawChunks } from './raw-spans.ts';

/**
 * Blind means hold: where ingest has refused telemetry by name, the windows that it belonged to must not claim to be whole.
 * What was cut off with its connection nobody can know of, and what was late already when it left its sender would have been no part of them.
 */
export function checkCoverage(
  ledger: Ledger,
  { windows }: EmittedWindows,
  { graceMs }: { readonly graceMs: number },
  findings: Findings,
): void {
  const covered = new Map(
    windows
      .filter(({ coverage }) => coverage === 1)
      .map(({ subject, startMs, endMs }) => [`${subject.environment} ${subject.service} ${startMs}`, endMs - startMs]),
  );
  const sizeMs = Math.max(1, ...covered.values());
  const blind = new Set<string>();
  for (const { bytes, acked, refused, names, leftAtMs = 0 } of ledger.entries) {
    if (acked > 0 || refused === 0 || !names.some((name) => name.startsWith('INGEST_'))) continue;
    for (const { environment, service, endMs } of (rawChunks(bytes) ?? []).flatMap(({ spans }) => spans)) {
      const startMs = endMs - (endMs % sizeMs);
      if (leftAtMs >= startMs + sizeMs + graceMs) continue;
      const place = `${environment} ${service} ${startMs}`;
      if (covered.has(place)) blind.add(`${place} (${names.join(' ')})`);
    }
  }
  findings.none([...blind], 'windows claim to be whole, though ingest refused some of their spans');
}
