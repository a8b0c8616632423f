import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ConsoleFile, ConsoleFiles, type ConsoleState } from './console-files.ts';
import { HttpProblem } from './problems.ts';
import type { Sessions } from './sessions.ts';

/** Paths of the console's screens. All of them are one page; what it shows is in the URL. */
const SCREENS = ['/', '/services/*', '/incidents', '/incidents/*', '/approvals', '/audit', '/data'];
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the console: its page at every screen's path, its assets, and `/?t=TICKET`, which opens a session. */
export function consoleRoutes(app: FastifyInstance, state: () => ConsoleState, sessions: Sessions): void {
  let served: { readonly dir: string; readonly files: ConsoleFiles } | undefined;
  const filesIn = (dir: string) =>
    (served?.dir === dir ? served : (served = { dir, files: new ConsoleFiles(dir) })).files;

  const page = async (request: FastifyRequest, reply: FastifyReply) => {
    const { t: ticket } = request.query as { t?: string };
    if (typeof ticket === 'string') return openSession(request, reply, ticket, sessions);
    const now = state();
    if (now.state !== 'ready') return sendNotice(reply, now);
    const index = filesIn(now.dir).file('index.html');
    if (index === undefined)
      throw new HttpProblem(500, 'CONSOLE_MISSING', 'the console has no page', 'Build it again.');
    return sendFile(request, reply.header('cache-control', 'no-cache'), index);
  };
  for (const path of SCREENS) app.get(path, { schema: { hide: true } }, page);
  app.get('/assets/*', { schema: { hide: true } }, async (request, reply) => {
    const now = state();
    const { '*': name = '' } = request.params as { '*'?: string };
    const file = now.state === 'ready' ? filesIn(now.dir).file(`assets/${name}`) : undefined;
    if (file === undefined)
      throw new HttpProblem(404, 'NOT_FOUND', 'no such part of the console', 'Load the page again.');
    // The name of an asset changes with its content.
    return sendFile(request, reply.header('cache-control', 'public, max-age=31536000, immutable'), file);
  });
}

/** Exchanges a link's ticket for a cookie, and takes it out of the address. */
function openSession(request: FastifyRequest, reply: FastifyReply, ticket: string, sessions: Sessions): FastifyReply {
  const nowMs = Date.now();
  const url = new URL(request.url, 'http://host');
  url.searchParams.delete('t');
  if (sessions.redeem(ticket, nowMs)) reply.header('set-cookie', sessions.open(nowMs));
  else if (!sessions.holds(request.headers.cookie, nowMs)) url.searchParams.set('link', 'used');
  // Of this server alone: "//host" would lead elsewhere.
  const path = `/${url.pathname.replace(/^\/+/, '')}${url.search}`;
  return reply.header('cache-control', 'no-store').redirect(path, 303);
}

function sendFile(request: FastifyRequest, reply: FastifyReply, { type, bytes, gzipped }: ConsoleFile): FastifyReply {
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  if (takesGzip) reply.header('content-encoding', 'gzip');
  return reply
    .type(type)
    .header('vary', 'accept-encoding')
    .send(takesGzip ? gzipped : bytes);
}

/** A page without anything: while the console is built, and when it cannot be. */
function sendNotice(reply: FastifyReply, now: Exclude<ConsoleState, { state: 'ready' }>): FastifyReply {
  const isBuilding = now.state === 'building';
  const [title, text] = isBuilding
    ? ['Flyball: the console is being built', 'This happens once after an install or update, and takes a few seconds.']
    : ['Flyball: there is no console', `${now.reason} ${now.fix} The API works without it: see /openapi.json.`];
  const refresh = isBuilding ? '<meta http-equiv="refresh" content="1">' : '';
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">${refresh}<title>${title}</title><h1>${title}</h1><p>${escaped(text)}</p></html>`;
  return reply
    .status(503)
    .header('cache-control', 'no-store')
    .header('retry-after', '1')
    .type('text/html; charset=utf-8')
    .send(html);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Headers of every answer: no sniffing, no frames, and for pages no script but our own. */
export function securityHeaders(app: FastifyInstance): void {
  app.addHook('onSend', async (_request, reply) => {
    const isPage = String(reply.getHeader('content-type') ?? '').startsWith('text/html');
    void reply.headers({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': isPage ? CSP : "default-src 'none'; frame-ancestors 'none'",
    });
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
  });
}
