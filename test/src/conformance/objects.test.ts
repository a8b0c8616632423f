import { MemoryObjects } from '@flyball/memory';
import { DirectoryObjects } from '@flyball/objects-dir';
import { objectsConformance } from '@flyball/testing';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

objectsConformance('memory', async () => new MemoryObjects());
objectsConformance('directory', async () => new DirectoryObjects(mkdtempSync(join(tmpdir(), 'flyball-objects-'))));
