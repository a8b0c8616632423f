import { RejectedError } from '@flyball/core';
import { isIP } from 'node:net';
import { parse } from 'yaml';
import { z } from 'zod';
import { isPrivateAddress } from './public-address.ts';

const SECRET_CHARACTERS_MIN = 16;

const Connections = z.strictObject({
  connections: z
    .array(
      z.strictObject({
        /** As bindings name it after `webhook:`. */
        name: z.string().regex(/^[a-z][a-z0-9-]*$/, 'lower-case words joined by hyphens'),
        url: z.url(),
        fencing: z.enum(['generation', 'none']).default('none'),
        allowPrivate: z.boolean().default(false),
      }),
    )
    .max(100),
});

/** Where a webhook goes, and what it may. */
export interface Connection {
  readonly name: string;
  readonly url: URL;
  readonly secret: string;
  readonly fencing: 'generation' | 'none';
  /** Whether addresses of private networks are meant. */
  readonly allowPrivate: boolean;
}

/**
 * Reads the file of connections; the secret of each is in `FLYBALL_WEBHOOK_<NAME>_SECRET`.
 *
 * @throws {RejectedError} `CONNECTIONS_INVALID`: do not start with a connection that cannot be what was meant.
 */
export function readConnections(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): readonly Connection[] {
  const parsed = Connections.safeParse(yamlOf(text));
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  }
  const problems: string[] = [];
  const connections = parsed.data.connections.map((each) => {
    const variable = `FLYBALL_WEBHOOK_${each.name.toUpperCase().replaceAll('-', '_')}_SECRET`;
    const secret = env[variable] ?? '';
    const connection = { ...each, url: new URL(each.url), secret };
    if (secret.length < SECRET_CHARACTERS_MIN)
      problems.push(`${each.name}: ${variable} must have at least ${SECRET_CHARACTERS_MIN} characters`);
    const problem = urlProblem(connection);
    if (problem !== '') problems.push(`${each.name}: ${problem}`);
    return connection;
  });
  if (problems.length > 0) throw invalid(problems);
  return connections;
}

function yamlOf(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 }) as unknown;
  } catch (cause) {
    throw invalid([cause instanceof Error ? cause.message.split('\n')[0]! : String(cause)]);
  }
}

/** What is wrong with where a connection goes, as far as its URL shows; '' when nothing is. */
function urlProblem({ url, allowPrivate }: Connection): string {
  // A URL has brought every form of an IPv4 address (hex, octal, one number) into the usual one.
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isHere = host === 'localhost' || host === '::1' || host.startsWith('127.');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isHere)) return 'url must be https';
  if (url.username !== '' || url.password !== '') return 'url must not hold a user or a password';
  if (url.hash !== '') return 'url must not have a fragment';
  const isPrivate = host === 'localhost' || (isIP(host) !== 0 && isPrivateAddress(host));
  return isPrivate && !allowPrivate ? `${host} is not public: say allowPrivate if it is meant` : '';
}

function invalid(problems: readonly string[]): RejectedError {
  const hint = 'Correct the file of connections; libs/drivers/target-webhook/README.md shows one.';
  return new RejectedError('CONNECTIONS_INVALID', `connections are invalid: ${problems.join('; ')}`, { hint });
}
