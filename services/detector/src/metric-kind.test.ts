import { expect, test } from 'vitest';
import { kindOfMetric } from './metric-kind.ts';

// Goal: an operator who reads "cpu" finds a processor there, and nobody is woken because things got better.

test.each([
  ['container.cpu.usage', '{cpu}', 'cpu', 'up'],
  ['process.cpu.utilization', '1', 'cpu', 'up'],
  ['container.memory.usage', 'By', 'memory', 'up'],
  ['jvm.memory.used', 'By', 'memory', 'up'],
  ['container.network.receive.rate', 'By/s', 'network', 'both'],
  ['http.server.request.duration', 's', 'latency', 'up'],
  ['http.server.request.duration.p95', 's', 'latency', 'up'],
  ['http.server.request.rate', '{request}/s', 'traffic', 'both'],
  ['http.server.request.success_ratio', '1', 'availability', 'down'],
  ['http_requests_failed_total', '', 'errors', 'up'],
  ['rpc.server.errors', '{error}', 'errors', 'up'],
  ['system.disk.io', 'By', 'saturation', 'up'],
  ['kafka.consumer.lag', '{record}', 'saturation', 'up'],
  ['queue.length', '', 'saturation', 'up'],
  ['db.client.connections.usage', '{connection}', 'saturation', 'up'],
  ['PodWorkload', 'Ops', 'traffic', 'both'],
  ['temperature', 'Cel', 'unknown', 'both'],
  ['supply', '', 'unknown', 'both'],
])('%s in %s tells of %s, and is trouble when it goes %s', (metric, unit, kind, badWay) => {
  expect(kindOfMetric(metric, unit)).toEqual({ kind, badWay });
});
