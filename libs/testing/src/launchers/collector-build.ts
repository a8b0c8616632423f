import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CACHE, hasCommand } from './native-process.ts';

const VERSION = '0.155.0';
const PROVIDERS_VERSION = 'v1.61.0';
const BUILDER = fileURLToPath(new URL('../../../../deploy/native/collector-builder.yaml', import.meta.url));
const DIR = join(CACHE, `otelcol-${VERSION}`);

/** Path of the Collector that tests run. */
export const COLLECTOR_BINARY = join(DIR, 'otelcol');

/**
 * Builds the Collector once, at a low priority: some minutes.
 *
 * The builder only writes sources here: on its own it would tidy the module, and ask for the test dependencies of every
 * component, which not every module proxy has.
 *
 * @returns what is missing, and how to get it, or `undefined`.
 */
export function buildCollector(): string | undefined {
  if (existsSync(COLLECTOR_BINARY)) return undefined;
  const hint = `install Go 1.25 or newer; the Collector is then built from ${BUILDER.split('/').slice(-3).join('/')}`;
  if (!hasCommand('go')) return hint;
  const src = join(DIR, 'src');
  mkdirSync(DIR, { recursive: true });
  copyFileSync(BUILDER, join(DIR, 'builder.yaml'));
  const modules = [...readFileSync(BUILDER, 'utf8').matchAll(/gomod: (\S+) (\S+)/g)].map(
    ([, path, version]) => `${path}@${version}`,
  );
  modules.push(`go.opentelemetry.io/collector/otelcol@v${VERSION}`);
  for (const provider of ['env', 'file', 'http', 'https', 'yaml']) {
    modules.push(`go.opentelemetry.io/collector/confmap/provider/${provider}provider@${PROVIDERS_VERSION}`);
  }
  const steps: [string, string, readonly string[]][] = [
    [DIR, 'go', ['install', `go.opentelemetry.io/collector/cmd/builder@v${VERSION}`]],
    [DIR, join(DIR, 'builder'), ['--config', 'builder.yaml', '--skip-get-modules', '--skip-compilation']],
    ...(existsSync(join(src, 'go.mod')) ? [] : [[src, 'go', ['mod', 'init', 'otelcol']] as [string, string, string[]]]),
    ...modules.map((module): [string, string, string[]] => [src, 'go', ['mod', 'edit', '-require', module]]),
    [src, 'go', ['build', '-mod=mod', '-p', '1', '-trimpath', '-ldflags', '-s -w', '-o', COLLECTOR_BINARY, '.']],
  ];
  for (const [cwd, command, args] of steps) {
    const env = { ...process.env, GOBIN: DIR, CGO_ENABLED: '0' };
    const { status, stderr } = spawnSync('nice', ['-n', '10', command, ...args], { cwd, env, encoding: 'utf8' });
    if (status !== 0) return `${hint} (it failed: ${stderr.slice(-300)})`;
  }
  return undefined;
}
