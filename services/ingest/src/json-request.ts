import type { SignalKind } from '@flyball/contracts';
import { RejectedError, textOf } from '@flyball/core';
import {
  encodeLogsJson,
  encodeMetricsJson,
  encodeTracesJson,
  type JsonResourceLogs,
  type JsonResourceMetrics,
  type JsonResourceSpans,
} from '@flyball/otlp';
import type { Accepted } from './signal-ingest.ts';

/** What a count of rejected items is called in an answer. Source: opentelemetry-proto, the collector services. */
const REJECTED = { traces: 'rejectedSpans', metrics: 'rejectedDataPoints', logs: 'rejectedLogRecords' } as const;

/** A request whose keys are those of the protobuf fields, as some senders write and the Collector takes. */
const SNAKE = /^\s*\{\s*"resource_/;

/** Renames the keys of an object; in their place among others they are the same fields. */
function camelKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      each,
    ]),
  );
}

/**
 * A request of OTLP/JSON as protobuf: that is how it is stored.
 *
 * @throws {RejectedError} `OTLP_JSON_INVALID`: never send it again.
 */
export function encodeJsonRequest(signal: SignalKind, body: Uint8Array): Uint8Array {
  try {
    const text = textOf(body);
    const request = JSON.parse(text, SNAKE.test(text) ? camelKeys : undefined) as Readonly<Record<string, unknown>>;
    if (signal === 'traces') return encodeTracesJson(listOf<JsonResourceSpans>(request, 'resourceSpans'));
    if (signal === 'metrics') return encodeMetricsJson(listOf<JsonResourceMetrics>(request, 'resourceMetrics'));
    return encodeLogsJson(listOf<JsonResourceLogs>(request, 'resourceLogs'));
  } catch (cause) {
    if (cause instanceof RejectedError) throw cause;
    throw new RejectedError('OTLP_JSON_INVALID', 'not OTLP/JSON', { cause });
  }
}

function listOf<T>(request: Readonly<Record<string, unknown>>, key: string): readonly T[] {
  const list = request[key] ?? [];
  if (!Array.isArray(list)) throw new RejectedError('OTLP_JSON_INVALID', `not OTLP/JSON: ${key} is no list`);
  return list as readonly T[];
}

/** The answer to a request of OTLP/JSON. */
export function jsonResponse(signal: SignalKind, { rejected, message }: Accepted): object {
  if (rejected === 0 && message === '') return {};
  return { partialSuccess: { [REJECTED[signal]]: String(rejected), errorMessage: message } };
}
