import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Addresses } from '@flyball/standalone';
import { fail, type Finding, ok, warn } from './finding.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const GIB = 1024 ** 3;
/** The log sheds telemetry when the disk is full; by then there should be time to act. */
const FREE_WARN_BYTES = 2 * GIB;
const FREE_FAIL_BYTES = GIB / 8;

/** The data directory: there, writable, with space left, not paused by file. */
export function folderFindings(dir: string): readonly Finding[] {
  const about = 'data directory';
  if (!existsSync(dir)) {
    return [
      fail(about, `there is no ${dir}`, 'start Flyball with "flyball start --no-demo", or name the folder with --data'),
    ];
  }
  const findings: Finding[] = [];
  try {
    accessSync(dir, constants.W_OK);
    findings.push(ok(about, dir));
  } catch {
    findings.push(
      fail(about, `${dir} cannot be written by this user`, 'run as the user that owns it, or change its owner'),
    );
  }
  findings.push(diskFinding(dir));
  if (existsSync(join(dir, 'PAUSE'))) {
    findings.push(
      warn('automation', `the file ${join(dir, 'PAUSE')} stops every effect`, 'remove the file to let automation act'),
    );
  }
  return findings;
}

function diskFinding(dir: string): Finding {
  const { bavail, bsize } = statfsSync(dir);
  const free = bavail * bsize;
  const text = `${(free / GIB).toFixed(1)} GiB free`;
  const fix = 'free some space, or lower FLYBALL_STANDALONE_BUDGET_BYTES and FLYBALL_ARCHIVER_ARCHIVE_BYTES';
  if (free < FREE_FAIL_BYTES) return fail('disk', `${text}: telemetry is refused when it is full`, fix);
  return free < FREE_WARN_BYTES ? warn('disk', text, fix) : ok('disk', text);
}

/** Whether anybody listens where senders send to, and where the second road of the kill switch is. */
export async function portFindings({ otlpGrpc, otlpHttp, actuator }: Addresses): Promise<readonly Finding[]> {
  const ports = [
    ['OTLP/gRPC', otlpGrpc],
    ['OTLP/HTTP', otlpHttp],
    ['actuator port', actuator],
  ] as const;
  return Promise.all(
    ports.map(async ([about, url]) => {
      if (!(await canConnect(url)))
        return fail(about, `nothing listens at ${url}`, 'start Flyball again; its log says why it stopped');
      const isLocal = /\/\/(127\.|localhost|\[::1\])/.test(url);
      return ok(about, isLocal && about !== 'actuator port' ? `${url}, for senders on this machine` : url);
    }),
  );
}

function canConnect(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), timeout: CONNECT_TIMEOUT_MS });
    const end = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
