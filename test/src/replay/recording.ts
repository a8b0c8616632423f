import { Prng } from '@flyball/core';

/** A span of a recording, before it is OTLP/JSON. */
export interface RecordedSpan {
  readonly environment: string;
  readonly service: string;
  readonly version: string;
  readonly endMs: number;
  readonly durationMs: number;
  /** OTLP span kind: 2 is server. */
  readonly kind: number;
  readonly isError: boolean;
}

/** One line of the Collector's `file` exporter: its spans, grouped by resource. */
export function lineOf(spans: readonly RecordedSpan[], dice: Prng): string {
  const resourceSpans = spans.map((span) => {
    const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
    const nanos = (ms: number) => `${Math.round(ms)}000000`;
    return {
      resource: {
        attributes: [
          attribute('service.name', span.service),
          attribute('deployment.environment.name', span.environment),
          attribute('service.version', span.version),
        ],
      },
      scopeSpans: [
        {
          spans: [
            {
              traceId: dice.hex(32),
              spanId: dice.hex(16),
              parentSpanId: dice.hex(16),
              name: `GET /${span.service}`,
              kind: span.kind,
              startTimeUnixNano: nanos(span.endMs - span.durationMs),
              endTimeUnixNano: nanos(span.endMs),
              status: span.isError ? { code: 2 } : {},
            },
          ],
        },
      ],
    };
  });
  return JSON.stringify({ resourceSpans });
}

/** What a window must hold, counted from the spans alone. */
export interface Count {
  spans: number;
  requests: number;
  errors: number;
}

/** Counts by definition, sharing nothing with what is tested: log time is the running maximum of each line's earliest end. */
export function countsOf(
  lines: readonly (readonly RecordedSpan[])[],
  { windowMs, graceMs, earlyMs }: { windowMs: number; graceMs: number; earlyMs: number },
): { windows: Map<string, Count>; late: number; early: number } {
  const windows = new Map<string, Count>();
  const logTimeMs = new Map<string, number>();
  let [late, early] = [0, 0];
  for (const line of lines) {
    for (const environment of new Set(line.map((span) => span.environment))) {
      const own = line.filter((span) => span.environment === environment);
      const atMs = Math.max(logTimeMs.get(environment) ?? 0, Math.min(...own.map(({ endMs }) => endMs)));
      logTimeMs.set(environment, atMs);
      for (const { service, endMs, kind, isError } of own) {
        const startMs = endMs - (endMs % windowMs);
        if (atMs >= startMs + windowMs + graceMs) late += 1;
        else if (endMs > atMs + earlyMs) early += 1;
        else {
          const key = `${environment} ${service} ${startMs}`;
          const count = windows.get(key) ?? { spans: 0, requests: 0, errors: 0 };
          windows.set(key, count);
          count.spans += 1;
          if (kind === 2) count.requests += 1;
          if (kind === 2 && isError) count.errors += 1;
        }
      }
    }
  }
  return { windows, late, early };
}
