import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names a state of the sources: whatever a build is made of, packages too. 16 hex digits. */
export function sourceHash(projectDir: string): string {
  const hash = createHash('sha256');
  const files = globSync('src/**/*.{ts,tsx,css,html,svg}', { cwd: projectDir });
  for (const path of ['package.json', ...files.sort()]) {
    const bytes = readFileSync(join(projectDir, path));
    hash.update(`${path}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex').slice(0, 16);
}
