import { EmbeddedLog } from '@flyball/log-embedded';
import { MemoryLog } from '@flyball/memory';
import { logConformance } from '@flyball/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

logConformance('memory', false, async () => ({ open: async () => new MemoryLog(() => 1_000) }));

const embedded = (tailBytes: number) => async () => {
  const dir = mkdtempSync(join(tmpdir(), 'flyball-log-'));
  const open = () => EmbeddedLog.open({ dir, tailBytes });
  return { open, dispose: async () => rmSync(dir, { recursive: true }) };
};

logConformance('embedded', true, embedded(64 * 1024 * 1024));
// Without a tail every read goes to the disk: both roads must say the same.
logConformance('embedded, tail of 300 bytes', true, embedded(300));
