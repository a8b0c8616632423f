import { MemoryObjects } from '@flyball/memory';
import { DirectoryObjects } from '@flyball/objects-dir';
import { objectsConformance } from '@flyball/testing';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

objectsConformance('memory', async () => new MemoryObjects());
objectsConformance('directory', async () => new DirectoryObjects(mkdtempSync(join(tmpdir(), 'flyball-objects-'))));

test.each(['../x', 'a/../b', '/etc/passwd', 'a//b', '', 'a b', 'a\0b', '.'])(
  '%j cannot leave the directory',
  async (name) => {
    const objects = new DirectoryObjects(mkdtempSync(join(tmpdir(), 'flyball-objects-')));
    await expect(objects.put(name, new Uint8Array(1))).rejects.toMatchObject({ code: 'OBJECT_NAME' });
    await expect(objects.get(name)).rejects.toMatchObject({ code: 'OBJECT_NAME' });
  },
);
