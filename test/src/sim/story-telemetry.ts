import type { Prng } from '@flyball/core';
import type { JsonResourceLogs, JsonResourceMetrics } from '@flyball/otlp';
import type { TestSpan } from '@flyball/testing';

/** Requests of one place in all services are one trace, in which the first service called the others. */
export function idsOf(
  second: number,
  request: number,
  service: number,
): Pick<TestSpan, 'traceId' | 'spanId' | 'parentId'> {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const traceId = hex(second * 100 + request + 1, 32);
  const root = hex(1, 16);
  return service === 0 ? { traceId, spanId: root } : { traceId, spanId: hex(service + 1, 16), parentId: root };
}

/** A level and a total that begins anew now and then; and a steady level, where it is wanted. */
export function metricsOf(
  { service, second, nowMs, level }: { service: string; second: number; nowMs: number; level: number | undefined },
  facts: Prng,
): JsonResourceMetrics {
  const time = { timeUnixNano: `${nowMs - facts.below(900)}000000` };
  const startMs = Math.floor((nowMs - second * 1_000) / 1_000) * 1_000 + Math.floor(second / 30) * 30_000;
  const total = { ...time, startTimeUnixNano: `${startMs}000000`, asInt: String((second % 30) * 7) };
  const metrics = [
    { name: 'process.cpu.utilization', unit: '1', gauge: { dataPoints: [{ ...time, asDouble: facts.unit() }] } },
    { name: 'jobs', sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [total] } },
  ];
  if (level === undefined) return { resource: resourceOf(service), scopeMetrics: [{ metrics }] };
  const depth = {
    name: 'queue.depth',
    unit: '1',
    gauge: { dataPoints: [{ ...time, asDouble: level + facts.unit() }] },
  };
  return { resource: resourceOf(service), scopeMetrics: [{ metrics: [...metrics, depth] }] };
}

/** A line of every second, and an error now and then. */
export function logsOf(service: string, nowMs: number, facts: Prng): JsonResourceLogs {
  const record = (severityNumber: number, text: string) => {
    return { timeUnixNano: `${nowMs - facts.below(900)}000000`, severityNumber, body: { stringValue: text } };
  };
  const logRecords = [record(9, `served ${facts.below(1_000)} requests`)];
  if (facts.chance(0.05)) logRecords.push(record(17, `order ${facts.below(1_000)} was lost`));
  return { resource: resourceOf(service), scopeLogs: [{ logRecords }] };
}

function resourceOf(service: string) {
  const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  return { attributes: [attribute('service.name', service), attribute('deployment.environment.name', 'demo')] };
}
