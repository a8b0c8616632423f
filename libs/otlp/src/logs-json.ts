import { WireWriter } from '@flyball/core';
import {
  attributes,
  encodeValue,
  enumOf,
  hex,
  type JsonAttribute,
  type JsonEnum,
  type JsonResource,
  type JsonScope,
  jsonText,
  type JsonValue,
  naturalOf,
} from './json-values.ts';
import { encodeResources, type OnFlaw } from './json-resources.ts';

const NAMES = ['resourceLogs', 'scopeLogs', 'logRecords'] as const;
/** Severities by number. Source: opentelemetry-proto, logs.proto, `SeverityNumber`. */
const SEVERITY_NAMES = [
  'SEVERITY_NUMBER_UNSPECIFIED',
  ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((severity) =>
    ['', 2, 3, 4].map((step) => `SEVERITY_NUMBER_${severity}${step}`),
  ),
];

/** A log record as OTLP/JSON writes it. Unknown keys are ignored. */
interface JsonLog {
  readonly timeUnixNano?: string | number;
  readonly observedTimeUnixNano?: string | number;
  readonly severityNumber?: JsonEnum;
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
 * @param onFlaw - told of log records that cannot be read: they are left out.
 * @throws {RejectedError} `OTLP_JSON_INVALID` with the place, when a number or an id is none: name it to whoever gave it.
 */
export function encodeLogsJson(resourceLogs: readonly JsonResourceLogs[], onFlaw?: OnFlaw): Uint8Array {
  const scopesOf = ({ scopeLogs = [] }: JsonResourceLogs) => scopeLogs;
  const itemsOf = ({ logRecords = [] }: ReturnType<typeof scopesOf>[number]) => logRecords;
  return encodeResources(resourceLogs, { names: NAMES, scopesOf, itemsOf, encode: encodeLog }, onFlaw);
}

function encodeLog(log: JsonLog): Uint8Array {
  const writer = new WireWriter().fixed64(1, naturalOf('timeUnixNano', log.timeUnixNano));
  writer.varint(2, enumOf(log.severityNumber ?? 0, SEVERITY_NAMES)).text(3, jsonText('severityText', log.severityText));
  if (log.body !== undefined) writer.bytes(5, encodeValue(log.body));
  attributes(writer, 6, log.attributes);
  if (log.traceId) writer.bytes(9, hex(log.traceId));
  if (log.spanId) writer.bytes(10, hex(log.spanId));
  return writer.fixed64(11, naturalOf('observedTimeUnixNano', log.observedTimeUnixNano)).finish();
}
