import { findPart, kafkaWays } from '@flyball/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One broker for all test files that do not hurt it: each finds its address where a given one would be. */
export default async function setup(): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), 'flyball-kafka-'));
  const kafka = await findPart(kafkaWays({ dir }));
  if (!('missing' in kafka)) process.env['FLYBALL_TEST_KAFKA_URL'] = kafka.url;
  return async () => {
    if (!('missing' in kafka)) await kafka.stop();
    rmSync(dir, { recursive: true, force: true });
  };
}
