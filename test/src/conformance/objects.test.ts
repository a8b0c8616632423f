import { MemoryObjects } from '@flyball/memory';
import { DirectoryObjects } from '@flyball/objects-dir';
import { objectsConformance } from '@flyball/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

objectsConformance('memory', async () => new MemoryObjects());
const scratch = mkdtempSync(join(tmpdir(), 'flyball-objects-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

objectsConformance('directory', async () => new DirectoryObjects(mkdtempSync(join(scratch, 'objects-'))));
