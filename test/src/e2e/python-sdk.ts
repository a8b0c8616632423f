import { CACHE } from '@flyball/testing';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGES = ['opentelemetry-sdk==1.45.2', 'opentelemetry-exporter-otlp-proto-http==1.45.2'];

/** A Python with the stock OpenTelemetry SDK, or why there is none and how to get it. */
export function pythonWithSdk(): { readonly python: string } | { readonly missing: string } {
  const dir = join(CACHE, `python-otel-${PACKAGES[0]!.split('==')[1]}`);
  const python = join(dir, 'bin', 'python3');
  if (existsSync(join(dir, 'ready'))) return { python };
  rmSync(dir, { recursive: true, force: true });
  const steps: readonly (readonly [string, readonly string[]])[] = [
    ['python3', ['-m', 'venv', dir]],
    [join(dir, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...PACKAGES]],
    ['touch', [join(dir, 'ready')]],
  ];
  for (const [command, args] of steps) {
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    if (status !== 0) {
      const why = stderr?.trim().split('\n').at(-1) ?? 'not found';
      return {
        missing: `no Python SDK (${why}): apt-get install python3 python3-venv, and let pip reach a package index`,
      };
    }
  }
  return { python };
}
