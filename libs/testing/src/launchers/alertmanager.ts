import { freePorts } from '@flyball/host';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GenericContainer, Wait } from 'testcontainers';
import { startContainerPart } from './container-part.ts';
import { goBinary } from './go-binary.ts';
import { startNativePart } from './native-part.ts';
import type { MissingPart, RealPart, Ways } from './real-part.ts';

const VERSION = '0.27.0';
const IMAGE = `prom/alertmanager:v${VERSION}`;
const SERVER = {
  name: 'alertmanager',
  version: VERSION,
  module: 'github.com/prometheus/alertmanager/cmd/alertmanager',
};
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
  const binary = goBinary(SERVER);
  if (typeof binary !== 'string') return binary;
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

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}
