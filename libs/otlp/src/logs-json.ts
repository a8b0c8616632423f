import { WireWriter } from '@flyball/core';
import {
  attributes,
  encodeResources,
  encodeValue,
  hex,
  type JsonAttribute,
  type JsonResource,
  type JsonScope,
  type JsonValue,
} from './json-values.ts';

/** A log record as OTLP/JSON writes it. Unknown keys are ignored. */
interface JsonLog {
  readonly timeUnixNano?: string | number;
  readonly observedTimeUnixNano?: string | number;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly body?: JsonValue;
  readonly attributes?: readonly JsonAttribute[];
  readonly traceId?: string;
  readonly spanId?: string;
}

/** Logs of one resource as OTLP/JSON writes them. */
export interface JsonResourceLogs {
  readonly resource?: JsonResource;
  readonly scopeLogs?: readonly {
    readonly scope?: JsonScope;
    readonly logRecords?: readonly JsonLog[];
    readonly schemaUrl?: string;
  }[];
  readonly schemaUrl?: string;
}

/**
 * Resource logs of OTLP/JSON as a serialised ExportLogsServiceRequest.
 *
 * @throws {RejectedError} `OTLP_JSON_INVALID` when a number or an id is none: name the line to whoever gave it.
 */
export function encodeLogsJson(resourceLogs: readonly JsonResourceLogs[]): Uint8Array {
  const resources = resourceLogs.map(({ scopeLogs: scopes = [], ...rest }) => ({ ...rest, scopes }));
  return encodeResources(resources, ({ logRecords = [] }) => logRecords.map(encodeLog));
}

function encodeLog(log: JsonLog): Uint8Array {
  const writer = new WireWriter().fixed64(1, BigInt(log.timeUnixNano ?? 0));
  writer.varint(2, log.severityNumber ?? 0).text(3, log.severityText ?? '');
  if (log.body !== undefined) writer.bytes(5, encodeValue(log.body));
  attributes(writer, 6, log.attributes);
  if (log.traceId) writer.bytes(9, hex(log.traceId));
  if (log.spanId) writer.bytes(10, hex(log.spanId));
  return writer.fixed64(11, BigInt(log.observedTimeUnixNano ?? 0)).finish();
}
