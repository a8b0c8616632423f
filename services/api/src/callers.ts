import { isToken } from '@flyball/host';
import type { FastifyRequest } from 'fastify';
import { HttpProblem } from './problems.ts';
import type { Sessions } from './sessions.ts';

/** Header that the console sends with what changes something. A foreign page cannot: it would need our leave first. */
const CONSOLE_HEADER = 'x-flyball-console';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who speaks: `token`, or a person at the `console`. People have names when credentials do. */
    actor: string;
  }
}

/**
 * Lets in who sends the bearer token, or the console's cookie. With a cookie, what changes something must come from our own
 * pages.
 *
 * @returns who speaks.
 * @throws {HttpProblem} `UNAUTHORIZED`, `FOREIGN_PAGE`
 */
export function requireCaller({ headers, method }: FastifyRequest, token: string, sessions: Sessions): string {
  if (isToken(headers.authorization ?? '', `Bearer ${token}`)) return 'token';
  if (!sessions.holds(headers.cookie, Date.now())) {
    throw new HttpProblem(
      401,
      'UNAUTHORIZED',
      'no valid bearer token, and no session of the console',
      'Send "Authorization: Bearer TOKEN"; the token is in DIR/token, or in FLYBALL_TOKEN. For the console: "flyball console".',
    );
  }
  if (method !== 'GET' && method !== 'HEAD') requireOwnPage(headers);
  return 'console';
}

/** @throws {HttpProblem} `FOREIGN_PAGE` */
export function requireOwnPage(headers: FastifyRequest['headers']): void {
  const { origin, host } = headers;
  const isOwn = origin !== undefined && URL.canParse(origin) && new URL(origin).host === host;
  if (isOwn && headers[CONSOLE_HEADER] !== undefined) return;
  throw new HttpProblem(
    403,
    'FOREIGN_PAGE',
    'a session may change things from the console only',
    'Use the console, or send the bearer token instead of the cookie.',
  );
}
