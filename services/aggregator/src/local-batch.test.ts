import { WireWriter } from '@flyball/core';
import { TraceScan } from '@flyball/otlp';
import { expect, test } from 'vitest';
import { AggregatorConfig } from './config.ts';
import { LocalBatch } from './local-batch.ts';

// Goal: however many subjects telemetry makes up, and whatever it calls them, a batch holds so many. Method: spans of services and
// environments that are called as the overflow is.

const END_MS = 1_700_000_000_000;

function request(service: string, environment: string): Uint8Array {
  const attribute = (key: string, value: string) =>
    new WireWriter().text(1, key).bytes(2, new WireWriter().text(1, value).finish()).finish();
  const resource = new WireWriter()
    .bytes(1, attribute('service.name', service))
    .bytes(1, attribute('deployment.environment.name', environment))
    .finish();
  const span = new WireWriter().bytes(1, new Uint8Array(16).fill(1)).bytes(2, new Uint8Array(8).fill(1)).text(5, 'GET');
  span.fixed64(7, BigInt(END_MS - 5) * 1_000_000n).fixed64(8, BigInt(END_MS) * 1_000_000n);
  const scope = new WireWriter().bytes(2, span.finish()).finish();
  return new WireWriter().bytes(1, new WireWriter().bytes(1, resource).bytes(2, scope).finish()).finish();
}

test.each([
  ['services', (index: number) => [`s${index}`, 'prod']],
  ['environments of a service that is called as the overflow is', (index: number) => ['(overflow)', `e${index}`]],
])('%s beyond the limit go into one overflow', (_what, nameOf) => {
  const batch = new LocalBatch(AggregatorConfig.parse({ subjectsMax: 3 }), 'traces');
  const scan = new TraceScan();
  for (let index = 0; index < 50; index += 1) {
    const [service, environment] = nameOf(index);
    scan.read(request(service!, environment!));
    batch.addSpans(scan, 'default', END_MS);
  }
  const said = batch.take(END_MS);
  expect(said.length).toBeLessThanOrEqual(4);
  expect(said.reduce((sum, message) => sum + (message.type === 'partial' ? message.spans : 0), 0)).toBe(50);
});
