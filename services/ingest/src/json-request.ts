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
import type { Accepted, Unreadable } from './signal-ingest.ts';

/** What a count of rejected items is called in an answer. Source: opentelemetry-proto, the collector services. */
const REJECTED = { traces: 'rejectedSpans', metrics: 'rejectedDataPoints', logs: 'rejectedLogRecords' } as const;

/** A request whose keys are those of the protobuf fields, as some senders write and the Collector takes. */
const SNAKE = /^\s*\{\s*"resource_/;

/** Renames the keys of an object; in their place among others they are the same fields. */
function camelKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      each,
    ]),
  );
}

/** A `null` stands for what is not there, as in all of protobuf's JSON. */
const NULL = /:\s*null\b/;

/** Where so many items cannot be read, the answer names these, and how many more there are. */
const FLAWS_TOLD_MAX = 3;

/**
 * A request of OTLP/JSON as protobuf: that is how it is stored.
 *
 * @throws {RejectedError} `OTLP_JSON_INVALID`: never send it again.
 */
export function encodeJsonRequest(signal: SignalKind, body: Uint8Array): JsonRequest {
  const told: string[] = [];
  let count = 0;
  let flaws = 0;
  const onFlaw = (where: string, why: string, items: number) => {
    count += items;
    flaws += 1;
    if (told.length < FLAWS_TOLD_MAX) told.push(`${where}: ${why}`);
  };
  const request = objectOf(textOf(body));
  const bytes =
    signal === 'traces'
      ? encodeTracesJson(listOf<JsonResourceSpans>(request, 'resourceSpans'), onFlaw)
      : signal === 'metrics'
        ? encodeMetricsJson(listOf<JsonResourceMetrics>(request, 'resourceMetrics'), onFlaw)
        : encodeLogsJson(listOf<JsonResourceLogs>(request, 'resourceLogs'), onFlaw);
  const more = flaws > told.length ? [`${flaws - told.length} more`] : [];
  return { bytes, unreadable: { count, why: [...told, ...more].join('; ') } };
}

/** A request of OTLP/JSON. */
export interface JsonRequest {
  /** A serialised Export…ServiceRequest of the items that can be read. */
  readonly bytes: Uint8Array;
  readonly unreadable: Unreadable;
}

/** A body without a single byte is a request without items, in either form. */
function objectOf(text: string): Readonly<Record<string, unknown>> {
  if (text === '') return {};
  let request: unknown;
  try {
    const isSnake = SNAKE.test(text);
    const revive = (_key: string, value: unknown) => {
      if (value === null) return undefined;
      return isSnake ? camelKeys(value) : value;
    };
    request = JSON.parse(text, isSnake || NULL.test(text) ? revive : undefined);
  } catch (cause) {
    const why = cause instanceof SyntaxError ? `: ${cause.message}` : '';
    throw new RejectedError('OTLP_JSON_INVALID', `not JSON${why}`, { cause });
  }
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw new RejectedError('OTLP_JSON_INVALID', 'not OTLP/JSON: it is no object');
  }
  return request as Readonly<Record<string, unknown>>;
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
