import { RejectedError } from '@flyball/core';
import { readYaml } from '@flyball/policy';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { z } from 'zod';
import { CONNECTIONS_MAX, ConnectionsSchema, type WrittenConnection } from './connection-schema.ts';
import { isPrivateAddress } from './public-address.ts';

const SECRET_CHARACTERS_MIN = 16;

type Env = Readonly<Record<string, string | undefined>>;
type Resolved<Written> = Omit<Written, 'url'> & {
  readonly url: URL;
  /** What requests are signed with (`target`, `webhook`), or the bearer token (`alertmanager`); '' where there is none. */
  readonly secret: string;
};
type OfKind<Kind extends WrittenConnection['kind']> = Readonly<Resolved<Extract<WrittenConnection, { kind: Kind }>>>;

/** What commands act on. */
export type TargetConnection = OfKind<'target'>;
/** What is told of incidents. */
export type NoticeConnection = OfKind<'alertmanager'> | OfKind<'slack'> | OfKind<'webhook'>;
/** What is only pinged. */
export type HeartbeatConnection = OfKind<'heartbeat'>;
/** Where requests go, and what they may. */
export type Connection = TargetConnection | NoticeConnection | HeartbeatConnection;
export type ConnectionKind = Connection['kind'];

/** Who is pinged while everything is well. */
export type Deadman = Readonly<NonNullable<z.infer<typeof ConnectionsSchema>['deadman']>>;

/** What the files of connections say. */
export interface Connections<Kind extends ConnectionKind = ConnectionKind> {
  readonly connections: readonly Extract<Connection, { kind: Kind }>[];
  readonly deadman: Deadman | undefined;
}

/** A file of connections. */
export interface ConnectionFile {
  /** How problems name it. */
  readonly path: string;
  readonly text: string;
}

/**
 * Reads connections from a file, or from all `*.yaml` of a folder. Secrets of the kinds that are asked for come from the environment,
 * each also as a file that `<NAME>_FILE` names.
 *
 * @param kinds - whoever asks gets these alone, and needs the secrets of these alone.
 * @throws {RejectedError} `CONNECTIONS_INVALID`: do not start with a connection that cannot be what was meant.
 */
export function readConnections<Kind extends ConnectionKind>(
  path: string,
  env: Env,
  kinds: readonly Kind[],
): Connections<Kind> {
  return parseConnections(filesAt(path), env, kinds);
}

/**
 * Names of the connections that commands may act on, from a file or folder alone: secrets are not asked for.
 *
 * @throws {RejectedError} `CONNECTIONS_INVALID`
 */
export function targetNames(path: string): readonly string[] {
  const names = new Map<string, ConnectionKind>();
  for (const file of filesAt(path)) readOne(file.path, file.text, names);
  return [...names].flatMap(([name, kind]) => (kind === 'target' ? [name] : []));
}

/** As {@link readConnections}, from texts. */
export function parseConnections<Kind extends ConnectionKind>(
  files: readonly ConnectionFile[],
  env: Env,
  kinds: readonly Kind[],
): Connections<Kind> {
  const problems: string[] = [];
  const names = new Map<string, ConnectionKind>();
  const connections: Connection[] = [];
  let deadman: Deadman | undefined;
  for (const { path, text } of files) {
    const read = readOne(path, text, names);
    if (read.deadman !== undefined && deadman !== undefined) problems.push(`${path}: there is more than one deadman`);
    deadman ??= read.deadman;
    for (const written of read.connections) {
      if (!(kinds as readonly string[]).includes(written.kind)) continue;
      const resolved = resolve(written, env);
      if (typeof resolved === 'string') problems.push(`${path}: ${written.name}: ${resolved}`);
      else connections.push(resolved);
    }
  }
  for (const name of deadman?.connections ?? []) {
    const kind = names.get(name);
    if (kind === undefined || kind === 'target') problems.push(`deadman: ${name} is no connection that can be told`);
  }
  if (names.size > CONNECTIONS_MAX) problems.push(`more than ${CONNECTIONS_MAX} connections`);
  if (problems.length > 0) throw invalid(problems);
  return { connections: connections as Extract<Connection, { kind: Kind }>[], deadman };
}

function filesAt(path: string): readonly ConnectionFile[] {
  try {
    if (!statSync(path).isDirectory()) return [{ path, text: readFileSync(path, 'utf8') }];
    const names = readdirSync(path).filter((name) => /\.ya?ml$/.test(name));
    return names.sort().map((name) => ({ path: name, text: readFileSync(join(path, name), 'utf8') }));
  } catch (cause) {
    throw invalid([`${path} cannot be read`], cause);
  }
}

/** Reads one file, and takes in the names of its connections. */
function readOne(path: string, text: string, names: Map<string, ConnectionKind>) {
  try {
    return readYaml(text, ConnectionsSchema, function* ({ connections }) {
      for (const [index, written] of connections.entries()) {
        const { name, kind, url } = written;
        const at = (key: string) => ['connections', index, key];
        if (names.has(name)) yield { path: at('name'), text: `there are two connections ${name}` };
        names.set(name, kind);
        const problem = url === undefined ? '' : urlProblem(new URL(url), written);
        if (problem !== '') yield { path: at('url'), text: `${name}: ${problem}` };
      }
    });
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    const problems = error.message.replace(/^policy is invalid: /, '').split('; ');
    throw invalid(problems.map((problem) => `${path}:${problem}`));
  }
}

/** A connection with its URL and its secret, or what is wrong with them. */
function resolve(written: WrittenConnection, env: Env): Connection | string {
  const { name, kind, url: writtenUrl } = written;
  const urlVariable = variableOf('CONNECTION', name, 'URL');
  const url = URL.parse(writtenUrl ?? secretIn(env, urlVariable));
  if (url === null) return `there is no url, and ${urlVariable} holds none`;
  const problem = urlProblem(url, written);
  if (problem !== '') return problem;
  const isSigned = kind === 'target' || kind === 'webhook';
  const variable = isSigned ? variableOf('WEBHOOK', name, 'SECRET') : variableOf('CONNECTION', name, 'TOKEN');
  const secret = secretIn(env, variable);
  if (isSigned && secret.length < SECRET_CHARACTERS_MIN)
    return `${variable} must have at least ${SECRET_CHARACTERS_MIN} characters`;
  return { ...written, url, secret };
}

function variableOf(what: string, name: string, part: string): string {
  return `FLYBALL_${what}_${name.toUpperCase().replaceAll('-', '_')}_${part}`;
}

/** The variable itself, or the file that `<NAME>_FILE` names; '' where there is neither. */
function secretIn(env: Env, variable: string): string {
  const file = env[`${variable}_FILE`];
  if (env[variable] !== undefined || file === undefined) return env[variable] ?? '';
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw invalid([`the file of ${variable}_FILE cannot be read`], cause);
  }
}

/** What is wrong with where a connection goes, as far as its URL shows; '' when nothing is. Never tells the URL itself. */
function urlProblem(url: URL, { kind, allowPrivate }: WrittenConnection): string {
  // A URL has brought every form of an IPv4 address (hex, octal, one number) into the usual one.
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isHere = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  // Who is only pinged, or an Alertmanager, is often a neighbour without a certificate; orders and signed news are for TLS alone.
  const takesPlain = isHere || (allowPrivate && (kind === 'alertmanager' || kind === 'heartbeat'));
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && takesPlain)) return 'url must be https';
  if (url.username !== '' || url.password !== '') return 'url must not hold a user or a password';
  if (url.hash !== '') return 'url must not have a fragment';
  const isPrivate = host === 'localhost' || (isIP(host) !== 0 && isPrivateAddress(host));
  return isPrivate && !allowPrivate ? `${host} is not public: say allowPrivate if it is meant` : '';
}

function invalid(problems: readonly string[], cause?: unknown): RejectedError {
  const hint = 'Correct the places that are named; docs/notifications.md describes every key.';
  const options = { hint, ...(cause !== undefined && { cause }) };
  return new RejectedError('CONNECTIONS_INVALID', `connections are invalid: ${problems.join('; ')}`, options);
}
