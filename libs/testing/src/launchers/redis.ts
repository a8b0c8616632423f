import { freePorts } from '@flyball/host';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GenericContainer, Wait } from 'testcontainers';
import { startContainerPart } from './container-part.ts';
import { startNativePart } from './native-part.ts';
import { hasCommand } from './native-process.ts';
import type { RealPart, Ways } from './real-part.ts';

const IMAGE = 'redis:7.0.15';
const START_TIMEOUT_MS = 10_000;
const READY = 'Ready to accept connections';

/** How a Redis for a test differs from the plain one. */
interface RedisOptions {
  /** Takes TLS connections only; the part's `FLYBALL_REDIS_CA_FILE` names the authority to trust. */
  readonly tls?: boolean;
  /** ACL lines such as `user app on >secret ~app:* +@all`. The default user stays, unless a line says `user default off`. */
  readonly users?: readonly string[];
  /** Bytes of memory, `noeviction`: what is beyond is refused. */
  readonly maxMemoryBytes?: number;
}

/**
 * The ways to a Redis without persistence: a restart comes back empty.
 *
 * @param dir - folder for its files; created.
 */
export function redisWays(dir: string, options: RedisOptions = {}): Ways {
  const kind = [...(options.tls ? ['_TLS'] : []), ...(options.users ? ['_ACL'] : [])].join('');
  const urlVariable = `FLYBALL_TEST_REDIS${kind}${options.maxMemoryBytes ? '_SMALL' : ''}_URL`;
  const native = async () => {
    if (hasCommand('redis-server')) return startNative(dir, options);
    return { missing: 'apt-get install -y --no-install-recommends redis-server' };
  };
  return { name: 'redis', urlVariable, container: () => startContainer(dir, options), native };
}

async function startNative(dir: string, options: RedisOptions): Promise<RealPart> {
  const port = await freePorts(1);
  const args = [...argsOf(dir, options, port), '--bind', '127.0.0.1'];
  const logFile = join(dir, 'redis.log');
  const isReady = (log: string) => log.includes(READY);
  const server = { command: 'redis-server', args, logFile, isReady, timeoutMs: START_TIMEOUT_MS };
  return startNativePart(server, aboutOf(dir, options, port));
}

async function startContainer(dir: string, options: RedisOptions): Promise<RealPart> {
  const port = await freePorts(1);
  const args = [...argsOf(dir, options, port), '--bind', '0.0.0.0', '--protected-mode', 'no'];
  // The folder is mounted where it is, so that the same arguments hold; without the image's own entry point the
  // server runs as root, and may read it.
  const container = new GenericContainer(IMAGE)
    .withEntrypoint(['redis-server'])
    .withCommand(args)
    .withBindMounts([{ source: dir, target: dir }])
    .withExposedPorts({ container: port, host: port })
    .withWaitStrategy(Wait.forLogMessage(READY));
  return startContainerPart(container, aboutOf(dir, options, port));
}

function aboutOf(dir: string, { tls = false }: RedisOptions, port: number): Pick<RealPart, 'url' | 'env'> {
  if (!tls) return { url: `redis://127.0.0.1:${port}` };
  return { url: `rediss://127.0.0.1:${port}`, env: { FLYBALL_REDIS_CA_FILE: join(dir, 'ca.crt') } };
}

/** Writes the files that the server needs, and returns its arguments. */
function argsOf(dir: string, { tls = false, users, maxMemoryBytes = 0 }: RedisOptions, port: number): string[] {
  mkdirSync(dir, { recursive: true });
  const args = ['--dir', dir, '--save', '', '--appendonly', 'no', '--maxmemory', String(maxMemoryBytes)];
  args.push('--maxmemory-policy', 'noeviction', '--port', String(tls ? 0 : port));
  if (tls) {
    makeCertificates(dir);
    args.push('--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-ca-cert-file', join(dir, 'ca.crt'));
    args.push('--tls-cert-file', join(dir, 'server.crt'), '--tls-key-file', join(dir, 'server.key'));
  }
  if (users !== undefined) {
    writeFileSync(join(dir, 'users.acl'), `${users.join('\n')}\n`);
    args.push('--aclfile', join(dir, 'users.acl'));
  }
  return args;
}

/** A throw-away authority and a certificate of 127.0.0.1 by it, valid for a month. */
function makeCertificates(dir: string): void {
  if (existsSync(join(dir, 'server.crt'))) return;
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout'];
  writeFileSync(join(dir, 'san.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  openssl('req', '-x509', ...key, 'ca.key', '-days', '30', '-subj', '/CN=test-authority', '-out', 'ca.crt');
  openssl('req', ...key, 'server.key', '-subj', '/CN=localhost', '-out', 'server.csr');
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30', '-extfile', 'san.ext'];
  openssl('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.crt');
}
