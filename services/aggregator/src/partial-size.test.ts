import { partialsCodec } from '@flyball/contracts';
import { WireWriter } from '@flyball/core';
import { MetricScan } from '@flyball/otlp';
import { expect, test } from 'vitest';
import { AggregatorConfig } from './config.ts';
import { LocalBatch } from './local-batch.ts';

// Goal: whatever senders call their metrics, and however often they report, no partial is larger than a record of the log: the lane
// would stand still. Method: as many streams as a window holds, with the longest names that are read, and points without end.

/** `max.message.bytes` of our topics on Kafka, less what a batch has beside the value. */
const RECORD_BYTES_MAX = 2 * 1024 * 1024 - 1_024;
const AT_MS = 1_700_000_000_000;
const LONG = 'x'.repeat(2_000);
const attribute = (key: string, value: string) =>
  new WireWriter().text(1, key).bytes(2, new WireWriter().text(1, value).finish()).finish();

test('the largest partial of metrics fits a record', () => {
  const config = AggregatorConfig.parse({});
  const batch = new LocalBatch(config, 'metrics');
  const scan = new MetricScan();
  for (let stream = 0; stream < config.metricsMax; stream += 1) {
    const data = new WireWriter();
    for (let nth = 0; nth < 40; nth += 1) {
      const point = new WireWriter().bytes(9, attribute(String(stream), '中'.repeat(300)));
      point.fixed64(2, BigInt(AT_MS) * 1_000_000n).fixed64(3, BigInt(AT_MS + nth) * 1_000_000n);
      const exemplar = new WireWriter().bytes(5, new Uint8Array(16).fill(7)).finish();
      data.bytes(
        1,
        point
          .fixed64(4, 2n ** 52n)
          .double(5, Math.PI)
          .bytes(8, exemplar)
          .finish(),
      );
    }
    const metric = new WireWriter().text(1, LONG).text(3, '中'.repeat(300)).bytes(9, data.varint(2, 2).finish());
    const resource = new WireWriter().bytes(1, attribute('service.name', LONG));
    resource.bytes(1, attribute('service.instance.id', LONG)).bytes(1, attribute('deployment.environment.name', LONG));
    const body = new WireWriter()
      .bytes(1, resource.finish())
      .bytes(2, new WireWriter().bytes(2, metric.finish()).finish());
    scan.read(new WireWriter().bytes(1, body.finish()).finish());
    batch.addPoints(scan, 'default', AT_MS);
  }
  const sizes = batch.take(AT_MS).map((message) => partialsCodec.encode(message).length);
  expect(sizes).toHaveLength(1);
  expect(sizes[0]).toBeGreaterThan(1_000_000);
  expect(sizes[0]).toBeLessThan(RECORD_BYTES_MAX);
});
