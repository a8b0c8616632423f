import { resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { buildApp } from './build.ts';

// Builds the console into a folder: `npm run console:build -- DIR`. An API that is a process of its own serves it from there.

/** Of what a bundler says the first lines tell what is wrong; the rest draws it. */
const LINES_TOLD = 2;

const [dir] = process.argv.slice(2);
if (dir === undefined) {
  process.stderr.write('usage: npm run console:build -- DIR\n');
  process.exit(2);
}
// Whatever the shell says: a build for development is twice the size.
process.env['NODE_ENV'] = 'production';
try {
  await buildApp(resolve(dir));
} catch (error) {
  const said = stripVTControlCharacters(error instanceof Error ? error.message : String(error));
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  process.stderr.write(`${lines.slice(0, LINES_TOLD).join(' ')}\n`);
  process.exit(1);
}
