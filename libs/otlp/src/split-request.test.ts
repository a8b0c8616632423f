import { WireWriter } from '@flyball/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitRequest } from './split-request.ts';
import { MetricScan } from './metric-scan.ts';
import { TraceScan } from './trace-scan.ts';

// Goal: a request that is larger than a record loses nothing, and doubles nothing. Method: random requests cut at random
// sizes, against the request as a whole, span by span with its resource.

const attribute = (key: string, value: string) =>
  new WireWriter().text(1, key).bytes(2, new WireWriter().text(1, value).finish()).finish();

function spanOf(id: number, name: string): Uint8Array {
  const traceId = new Uint8Array(16).fill(1);
  new DataView(traceId.buffer).setUint32(0, id + 1);
  return new WireWriter().bytes(1, traceId).bytes(2, traceId.subarray(0, 8)).text(5, name).varint(6, 2).finish();
}

const scopes = fc.array(fc.array(fc.string({ maxLength: 30 }), { maxLength: 6 }), { maxLength: 4 });
const requests = fc.array(fc.record({ service: fc.string({ minLength: 1, maxLength: 20 }), scopes }), { maxLength: 4 });

function encode(resources: readonly { service: string; scopes: readonly (readonly string[])[] }[]): Uint8Array {
  let id = 0;
  const request = new WireWriter();
  for (const { service, scopes: each } of resources) {
    const resource = new WireWriter().bytes(1, attribute('service.name', service)).finish();
    const body = new WireWriter().bytes(1, resource);
    for (const names of each) {
      const scope = new WireWriter().bytes(1, new WireWriter().text(1, 'scope').finish());
      for (const name of names) scope.bytes(2, spanOf((id += 1), name));
      body.bytes(2, scope.text(3, 'https://schema').finish());
    }
    request.bytes(1, body.finish());
  }
  return request.finish();
}

/** Every span as one text: its resource, name and trace id. */
function spansIn(bytes: Uint8Array): string[] {
  const scan = new TraceScan();
  scan.read(bytes);
  return Array.from({ length: scan.count }, (_, span) => {
    const { service } = scan.resources[scan.resource[span]!]!;
    return `${service} ${scan.nameOf(span)} ${Buffer.from(bytes.subarray(scan.traceIdAt[span]!, scan.traceIdAt[span]! + 16)).toString('hex')}`;
  });
}

test('the parts hold the same spans, in order, and fit wherever a span fits', () => {
  fc.assert(
    fc.property(requests, fc.integer({ min: 150, max: 2_000 }), (resources, bytesMax) => {
      const whole = encode(resources);
      const parts = [...splitRequest(whole, 'traces', bytesMax)];
      expect(parts.flatMap(spansIn)).toEqual(spansIn(whole));
      for (const part of parts) expect(part.length).toBeLessThanOrEqual(bytesMax);
      if (whole.length <= bytesMax) expect(parts).toEqual([whole]);
    }),
  );
});

test('a span that is larger than a part stays whole, alone', () => {
  const whole = encode([{ service: 'a', scopes: [['x', 'y'.repeat(500), 'z']] }]);
  const parts = [...splitRequest(whole, 'traces', 200)];
  expect(parts.map(spansIn).map((spans) => spans.length)).toEqual([1, 1, 1]);
  expect(parts[1]!.length).toBeGreaterThan(500);
});

test('attributes that every part would have to repeat do not fill the memory: their resource stays whole', () => {
  const names = Array.from({ length: 200 }, (_, index) => `GET /${index}`);
  for (const sizeBytes of [400, 900, 5_000]) {
    const whole = encode([
      { service: 's'.repeat(sizeBytes), scopes: [names] },
      { service: 'b', scopes: [['z']] },
    ]);
    const parts = [...splitRequest(whole, 'traces', 1_000)];
    expect(parts.flatMap(spansIn)).toEqual(spansIn(whole));
    expect(parts.reduce((sum, part) => sum + part.length, 0)).toBeLessThan(3 * whole.length);
  }
});

test.each([
  ['gauge', 5, 7],
  ['sum', 7, 7],
  ['histogram', 9, 9],
])(
  'points of one %s that is larger than a part are parted, and each part says what they are',
  (_kind, field, keyField) => {
    const data = new WireWriter();
    for (let index = 0; index < 500; index += 1) {
      const point = new WireWriter().bytes(keyField, attribute('pod', `pod-${index}`)).fixed64(3, BigInt(index + 1));
      data.bytes(1, (field === 9 ? point.fixed64(4, 1n).double(5, index) : point.double(4, index)).finish());
    }
    data.varint(2, 2).varint(3, field === 7 ? 1 : 0);
    const metric = new WireWriter().text(1, 'kube_pod_labels').bytes(field, data.finish()).text(3, '{pod}').finish();
    const resource = new WireWriter().bytes(1, attribute('service.name', 'kube')).finish();
    const body = new WireWriter().bytes(1, resource).bytes(2, new WireWriter().bytes(2, metric).finish());
    const whole = new WireWriter().bytes(1, body.finish()).finish();
    const pointsIn = (bytes: Uint8Array) => {
      const scan = new MetricScan();
      scan.read(bytes);
      return scan.points.map(({ index: _, resource: of, ...point }) => ({
        ...point,
        service: scan.resources[of]!.service,
      }));
    };
    const parts = [...splitRequest(whole, 'metrics', 1_000)];
    expect(parts.flatMap(pointsIn)).toEqual(pointsIn(whole));
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(1_000);
  },
);
