import type { SignalKind } from '@flyball/contracts';
import {
  encodeLogsJson,
  encodeMetricsJson,
  encodeTracesJson,
  type JsonResourceLogs,
  type JsonResourceMetrics,
  type JsonResourceSpans,
} from '@flyball/otlp';

/** A request of one kind of telemetry, as protobuf. */
export interface SignalRequest {
  readonly signal: SignalKind;
  readonly bytes: Uint8Array;
}

interface JsonRequest {
  readonly resourceSpans?: readonly JsonResourceSpans[];
  readonly resourceMetrics?: readonly JsonResourceMetrics[];
  readonly resourceLogs?: readonly JsonResourceLogs[];
}

/**
 * A line of OTLP/JSON as protobuf, one request per resource. A line of anything else has no request.
 *
 * @throws what says why the line cannot be read.
 */
export function encodeJson(line: string): readonly SignalRequest[] {
  const request: unknown = JSON.parse(line);
  if (typeof request !== 'object' || request === null || Array.isArray(request)) throw new Error('it is no object');
  const { resourceSpans = [], resourceMetrics = [], resourceLogs = [] } = request as JsonRequest;
  for (const [name, list] of Object.entries({ resourceSpans, resourceMetrics, resourceLogs })) {
    if (!Array.isArray(list)) throw new Error(`${name} is no list`);
  }
  return [
    ...resourceSpans.map((each) => ({ signal: 'traces' as const, bytes: encodeTracesJson([each]) })),
    ...resourceMetrics.map((each) => ({ signal: 'metrics' as const, bytes: encodeMetricsJson([each]) })),
    ...resourceLogs.map((each) => ({ signal: 'logs' as const, bytes: encodeLogsJson([each]) })),
  ];
}
