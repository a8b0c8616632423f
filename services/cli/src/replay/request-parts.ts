import { DEFAULT_ENVIRONMENT, type SignalKind, UNKNOWN_SERVICE } from '@flyball/contracts';
import { WireReader, WireWriter } from '@flyball/core';
import { LogScan, MetricScan, type ScannedResource, TraceScan } from '@flyball/otlp';
import type { SignalRequest } from './json-lines.ts';

/** What a line of a recording holds of one environment. */
export interface Part {
  readonly environment: string;
  readonly requests: { readonly signal: SignalKind; readonly bytes: Uint8Array }[];
  readonly services: Set<string>;
  /** Times of its items, ms: spans by their end. */
  earliestMs: number;
  latestMs: number;
  readonly counts: Record<SignalKind, number>;
}

const scans = { traces: new TraceScan(), metrics: new MetricScan(), logs: new LogScan() };

/**
 * Splits requests by environment, resource by resource. Resources without an item that has a time are left out.
 *
 * @throws {RejectedError} `OTLP_MALFORMED`
 */
export function splitByEnvironment(requests: readonly SignalRequest[]): readonly Part[] {
  const parts = new Map<string, Part>();
  for (const { signal, bytes } of requests) {
    for (const one of resourcesOf(bytes)) {
      const { resource, times } = look(signal, one);
      if (times.length === 0) continue;
      const environment = resource.environment || DEFAULT_ENVIRONMENT;
      const part = parts.get(environment) ?? emptyPart(environment);
      parts.set(environment, part);
      part.requests.push({ signal, bytes: one });
      part.services.add(resource.service || UNKNOWN_SERVICE);
      part.counts[signal] += times.length;
      for (const timeMs of times) {
        if (timeMs < part.earliestMs) part.earliestMs = timeMs;
        if (timeMs > part.latestMs) part.latestMs = timeMs;
      }
    }
  }
  return [...parts.values()];
}

/** Each resource of a request as a request of its own. */
function resourcesOf(bytes: Uint8Array): Uint8Array[] {
  const reader = new WireReader('OTLP_MALFORMED');
  reader.reset(bytes);
  const resources: Uint8Array[] = [];
  while (reader.next(bytes.length)) {
    if (reader.field === 1) resources.push(reader.bytesField(bytes.length));
    else reader.skip(bytes.length);
  }
  return resources.length === 1 ? [bytes] : resources.map((each) => new WireWriter().bytes(1, each).finish());
}

function look(signal: SignalKind, bytes: Uint8Array): { resource: ScannedResource; times: readonly number[] } {
  scans[signal].read(bytes);
  const resource = scans[signal].resources[0]!;
  if (signal === 'traces') return { resource, times: Array.from(scans.traces.endMs.subarray(0, scans.traces.count)) };
  const items = signal === 'metrics' ? scans.metrics.points : scans.logs.logs;
  return { resource, times: items.map(({ timeMs }) => timeMs).filter((timeMs) => timeMs > 0) };
}

function emptyPart(environment: string): Part {
  const counts = { traces: 0, metrics: 0, logs: 0 };
  return { environment, requests: [], services: new Set(), earliestMs: Infinity, latestMs: 0, counts };
}
