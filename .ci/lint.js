// Runs ESLint with the Nx boundary rule surely on. Nx skips that rule, with exit code 0 and a mere
// warning, when no project graph is cached (nrwl/nx#8110): so the graph is built first, and the
// warning's text counts as a failure.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';

const bin = (name) => new URL(`../node_modules/.bin/${name}`, import.meta.url).pathname;
const env = { ...process.env, NX_DAEMON: 'false', FORCE_COLOR: '0' };

const graph = spawnSync(bin('nx'), ['graph', '--file=.nx/graph.json'], { env, encoding: 'utf8' });
if (graph.status !== 0) {
  process.stderr.write(`${graph.stdout}${graph.stderr}`);
  process.exit(1);
}
rmSync(new URL('../.nx/graph.json', import.meta.url), { force: true });

const lint = spawnSync(bin('eslint'), ['--max-warnings=0', '.'], { env, encoding: 'utf8' });
const output = `${lint.stdout}${lint.stderr}`;
process.stderr.write(output);
if (output.includes('No cached ProjectGraph')) {
  process.stderr.write('lint: the Nx boundary rule was skipped; run "npx nx reset" and try again\n');
  process.exit(1);
}
process.exit(lint.status ?? 1);
