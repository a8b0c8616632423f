import { WireWriter } from '@flyball/core';
import { expect, test } from 'vitest';
import { MetricScan } from './metric-scan.ts';

// Goal: streams with other attributes are other streams, however long those are. Method: two points that differ beyond the cut.

const attribute = (key: string, value: string) =>
  new WireWriter().text(1, key).bytes(2, new WireWriter().text(1, value).finish()).finish();

function attributesOf(...pods: readonly string[]): string[] {
  const data = new WireWriter();
  for (const pod of pods) {
    const point = new WireWriter().bytes(7, attribute('a', 'x'.repeat(300))).bytes(7, attribute('pod', pod));
    data.bytes(1, point.fixed64(3, 1n).double(4, 1).finish());
  }
  const metric = new WireWriter().text(1, 'calls').bytes(7, data.varint(2, 2).varint(3, 1).finish()).finish();
  const body = new WireWriter().bytes(2, new WireWriter().bytes(2, metric).finish()).finish();
  const scan = new MetricScan();
  scan.read(new WireWriter().bytes(1, body).finish());
  return scan.points.map(({ attributes }) => attributes);
}

test('attributes that are cut still tell streams apart', () => {
  const [first, second, again] = attributesOf('one', 'two', 'one');
  expect(first).not.toBe(second);
  expect(again).toBe(first);
  expect(first).toHaveLength(256);
  expect(first).toMatch(/^a=x+… [0-9a-f]{8}$/);
});
