import { freePorts } from '@flyball/host';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { GenericContainer, Wait } from 'testcontainers';
import { startContainerPart } from './container-part.ts';
import { goBinary } from './go-binary.ts';
import { startNativePart } from './native-part.ts';
import type { MissingPart, RealPart, Ways } from './real-part.ts';

const VERSION = '1.8.0';
const IMAGE = `versity/versitygw:v${VERSION}`;
const SERVER = { name: 'versitygw', version: VERSION, module: 'github.com/versity/versitygw/cmd/versitygw' };
const CONTAINER_PORT = 7070;
const REGION = 'us-east-1';
const BUCKET = 'flyball';
const CREDENTIALS = { accessKeyId: 'labaccess', secretAccessKey: 'labsecret-labsecret' };
const ROOT = { ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId, ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey };
const START_TIMEOUT_MS = 15_000;

/**
 * The ways to an object store that speaks S3 (versitygw), with one empty bucket in it. A start again keeps the data.
 * The first start on a machine without containers builds it: some minutes.
 *
 * @param dir - folder for its files; its file system must take user xattrs.
 */
export function s3Ways(dir: string): Ways {
  return {
    name: 's3',
    urlVariable: 'FLYBALL_TEST_S3_URL',
    container: () => startContainer(dir),
    native: () => startNative(dir),
  };
}

async function startNative(dir: string): Promise<RealPart | MissingPart> {
  const binary = goBinary(SERVER);
  if (typeof binary !== 'string') return binary;
  const port = await freePorts(1);
  const options = {
    command: binary,
    args: argsOf(`127.0.0.1:${port}`, makeDataFolder(dir)),
    env: ROOT,
    logFile: join(dir, 's3.log'),
    isReady: () => isHealthy(port),
    timeoutMs: START_TIMEOUT_MS,
  };
  return withBucket(await startNativePart(options, aboutOf(port)), port);
}

async function startContainer(dir: string): Promise<RealPart> {
  const port = await freePorts(1);
  const data = makeDataFolder(dir);
  const container = new GenericContainer(IMAGE)
    .withEnvironment(ROOT)
    .withCommand(argsOf(`:${CONTAINER_PORT}`, '/data'))
    .withBindMounts([{ source: data, target: '/data' }])
    .withExposedPorts({ container: CONTAINER_PORT, host: port })
    .withWaitStrategy(Wait.forHttp('/health', CONTAINER_PORT));
  return withBucket(await startContainerPart(container, aboutOf(port)), port);
}

function makeDataFolder(dir: string): string {
  const data = join(dir, 'data');
  mkdirSync(data, { recursive: true });
  return data;
}

function argsOf(address: string, data: string): string[] {
  return ['--port', address, '--health', '/health', '--quiet', '--keep-alive', 'posix', data];
}

async function isHealthy(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

function aboutOf(port: number): Pick<RealPart, 'url' | 'env'> {
  const env = { AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId, AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey };
  return { url: `s3://${BUCKET}/test?endpoint=http://127.0.0.1:${port}&region=${REGION}`, env };
}

async function withBucket(part: RealPart, port: number): Promise<RealPart> {
  const endpoint = `http://127.0.0.1:${port}`;
  const client = new S3Client({ endpoint, region: REGION, forcePathStyle: true, credentials: CREDENTIALS });
  try {
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    return part;
  } catch (error) {
    await part.stop();
    throw error;
  } finally {
    client.destroy();
  }
}
