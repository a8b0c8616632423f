import type { Prng } from '@flyball/core';

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
  readonly spans: number;
  readonly requests: number;
  readonly errors: number;
}

interface Sizes {
  readonly windowMs: number;
  readonly graceMs: number;
  readonly earlyMs: number;
}

/** Counts by definition, sharing nothing with what is tested: log time is the running maximum of each line's earliest end. */
export function countsOf(
  lines: readonly (readonly RecordedSpan[])[],
  { windowMs, graceMs, earlyMs }: Sizes,
): { windows: Map<string, Count>; late: number; early: number } {
  const windows = new Map<string, Count>();
  let [late, early] = [0, 0];
  for (const { span, atMs } of stamped(lines)) {
    const startMs = span.endMs - (span.endMs % windowMs);
    if (atMs >= startMs + windowMs + graceMs) late += 1;
    else if (span.endMs > atMs + earlyMs) early += 1;
    else {
      const key = `${span.environment} ${span.service} ${startMs}`;
      const { spans, requests, errors } = windows.get(key) ?? { spans: 0, requests: 0, errors: 0 };
      const isRequest = span.kind === 2;
      windows.set(key, {
        spans: spans + 1,
        requests: requests + (isRequest ? 1 : 0),
        errors: errors + (isRequest && span.isError ? 1 : 0),
      });
    }
  }
  return { windows, late, early };
}

/** Every span with the log time of its line, per environment. */
function stamped(lines: readonly (readonly RecordedSpan[])[]): { span: RecordedSpan; atMs: number }[] {
  const logTimeMs = new Map<string, number>();
  return lines.flatMap((line) => {
    for (const environment of new Set(line.map((span) => span.environment))) {
      const ends = line.filter((span) => span.environment === environment).map(({ endMs }) => endMs);
      logTimeMs.set(environment, Math.max(logTimeMs.get(environment) ?? 0, Math.min(...ends)));
    }
    return line.map((span) => ({ span, atMs: logTimeMs.get(span.environment)! }));
  });
}
