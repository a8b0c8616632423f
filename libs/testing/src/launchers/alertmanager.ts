import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GenericContainer, Wait } from 'testcontainers';
import { startContainerPart } from './container-part.ts';
import { startNativePart } from './native-part.ts';
import { CACHE, hasCommand } from './native-process.ts';
import { freePorts } from './ports.ts';
import type { MissingPart, RealPart, Ways } from './real-part.ts';

const VERSION = '0.27.0';
const IMAGE = `prom/alertmanager:v${VERSION}`;
const MODULE = `github.com/prometheus/alertmanager/cmd/alertmanager@v${VERSION}`;
const BINARY_DIR = join(CACHE, 'bin', `alertmanager-${VERSION}`);
const CONTAINER_PORT = 9093;
const START_TIMEOUT_MS = 20_000;
/** Takes all alerts, tells nobody. JSON is YAML. */
const SETTINGS = { route: { receiver: 'nobody' }, receivers: [{ name: 'nobody' }] };

/**
 * The ways to an Alertmanager that tells nobody. The first start on a machine without containers builds it: some minutes.
 *
 * @param dir - folder for its files; created.
 */
export function alertmanagerWays(dir: string): Ways {
  return {
    name: 'alertmanager',
    urlVariable: 'FLYBALL_TEST_ALERTMANAGER_URL',
    container: () => startContainer(),
    native: () => startNative(dir),
  };
}

async function startNative(dir: string): Promise<RealPart | MissingPart> {
  const binary = join(BINARY_DIR, 'alertmanager');
  const problem = existsSync(binary) ? undefined : build();
  if (problem !== undefined) return { missing: problem };
  mkdirSync(dir, { recursive: true });
  const port = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const settings = join(dir, 'alertmanager.json');
  writeFileSync(settings, JSON.stringify(SETTINGS));
  const options = {
    command: binary,
    args: [
      `--config.file=${settings}`,
      `--storage.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=', // It is alone, and listens nowhere else.
    ],
    logFile: join(dir, 'alertmanager.log'),
    isReady: () => isReady(url),
    timeoutMs: START_TIMEOUT_MS,
  };
  return startNativePart(options, { url });
}

async function startContainer(): Promise<RealPart> {
  const port = await freePorts(1);
  const container = new GenericContainer(IMAGE)
    .withCopyContentToContainer([{ content: JSON.stringify(SETTINGS), target: '/etc/alertmanager/alertmanager.yml' }])
    .withExposedPorts({ container: CONTAINER_PORT, host: port })
    .withWaitStrategy(Wait.forHttp('/-/ready', CONTAINER_PORT));
  return startContainerPart(container, { url: `http://127.0.0.1:${port}` });
}

/** Builds the server at the lowest priority. Returns what is wrong, if anything. */
function build(): string | undefined {
  const hint = `install Go 1.25 or newer, then: GOBIN=${BINARY_DIR} go install ${MODULE}`;
  if (!hasCommand('go')) return hint;
  const env = { ...process.env, GOBIN: BINARY_DIR };
  const { status, stderr } = spawnSync('nice', ['-n', '19', 'go', 'install', '-p', '1', MODULE], {
    env,
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `${hint} (it failed: ${stderr.slice(-300)})`;
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}
