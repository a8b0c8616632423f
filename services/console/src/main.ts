import { resolve } from 'node:path';
import { buildApp } from './build.ts';

// Builds the console into a folder: `npm run console:build -- DIR`. An API that is a process of its own serves it from there.

const [dir] = process.argv.slice(2);
if (dir === undefined) {
  process.stderr.write('usage: npm run console:build -- DIR\n');
  process.exit(2);
}
// Whatever the shell says: a build for development is twice the size.
process.env['NODE_ENV'] = 'production';
await buildApp(resolve(dir));
