import { AuditFiles, verifyAudit } from '@flyball/audit-files';
import { auditorSpecs } from '@flyball/auditor';
import { startLaneAnew } from '@flyball/cli';
import { trailCodec } from '@flyball/contracts';
import { utf8 } from '@flyball/core';
import { MemoryLog, MemoryObjects } from '@flyball/memory';
import { createTopics, LaneRunner, Line } from '@flyball/runtime';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

// Goal: whoever resets the lane of the auditor loses what it had not said, and no more: what is done later is in the signed
// files all the same. Method: an auditor whose checkpoints are spoiled, and files that are written before and after.

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'flyball-reset-'))));
afterEach(() => rmSync(dir, { recursive: true }));

test('an auditor that was reset goes on behind what it had said, and the files hold all of it', async () => {
  const log = new MemoryLog(() => 1_000);
  const objects = new MemoryObjects();
  await createTopics(log, { lanes: 1, rawPartitions: 1 });
  const [spec] = auditorSpecs(new Line({ lanes: 1, rawPartitions: 1, nodeVersion: 'test' }, []));
  const tell = async (...reasons: string[]) => {
    for (const reason of reasons) {
      const fact = { type: 'pause' as const, wordId: reason, actor: 'cli', tenant: 'default', reason };
      const message = { type: 'trail' as const, tenant: 'default', from: 'flyball.control/0', atMs: 1_000, fact };
      await log.append({ topic: 'flyball.trail', partition: 0 }, [
        { key: 'default', headers: {}, value: trailCodec.encode(message) },
      ]);
    }
  };
  const audit = async () => {
    const runner = await LaneRunner.open(spec!, { log, objects }, 0);
    while ((await runner.pump()) > 0);
    await runner.checkpoint();
    const files = new AuditFiles(log, dir);
    await files.start();
    await files.stop();
    expect(files.failure).toBeUndefined();
  };
  await tell('a', 'b', 'c');
  await audit();
  for (const name of await objects.list('checkpoints/')) await objects.put(name, utf8('garbage'));
  await expect(audit()).rejects.toMatchObject({ code: 'LANE_STATE_LOST' });
  await startLaneAnew({ log, objects }, 'auditor', { topic: 'flyball.trail', partition: 0 });
  await tell('d');
  await audit();
  await tell('e', 'f', 'g');
  await audit();
  expect(verifyAudit(dir)).toMatchObject([{ ok: true, entries: 7, signedSeq: 7 }]);
  const text = readFileSync(join(dir, 'audit/tenant-default/entries.ndjson'), 'utf8');
  expect([...text.matchAll(/reason\\":\\"(\w)/g)].map(([, reason]) => reason).join('')).toBe('abcdefg');
});
