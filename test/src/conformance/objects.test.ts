import { utf8 } from '@flyball/core';
import { MemoryObjects } from '@flyball/memory';
import { DirectoryObjects } from '@flyball/objects-dir';
import { objectsConformance } from '@flyball/testing';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

objectsConformance('memory', async () => new MemoryObjects());
const scratch = mkdtempSync(join(tmpdir(), 'flyball-objects-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

objectsConformance('directory', async () => new DirectoryObjects(mkdtempSync(join(scratch, 'objects-'))));

test('a folder that somebody has moved away is made anew', async () => {
  const dir = mkdtempSync(join(scratch, 'moved-'));
  const objects = new DirectoryObjects(dir);
  await objects.put('archive/_manifests/topic/0/a', utf8('a'));
  renameSync(join(dir, 'archive/_manifests'), join(dir, 'elsewhere'));
  await objects.put('archive/_manifests/topic/0/b', utf8('b'));
  expect(await objects.create('archive/_manifests/topic/0/c', utf8('c'))).toBe(true);
  expect(await objects.list('archive/')).toEqual(['archive/_manifests/topic/0/b', 'archive/_manifests/topic/0/c']);
});
