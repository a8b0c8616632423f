import { SECOND_MS } from '@flyball/core';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import { Counter, Gauge } from 'prom-client';
import type { Change, ChangeFeed } from './change-feed.ts';
import { HttpProblem } from './problems.ts';
import type { ApiPorts } from './server.ts';
import { ServiceWatch } from './service-watch.ts';

/** Most followers at once. */
const FOLLOWERS_MAX = 100;
/** What may wait for one follower. One who reads slower than the world changes is let go, and comes back. */
const WAITING_BYTES_MAX = 1024 * 1024;
const BEAT_EVERY_MS = 10 * SECOND_MS;
/** How long one who is let go has to read why. */
const FAREWELL_MS = 2 * SECOND_MS;
/** After how long a browser comes back. */
const RETRY_MS = 1_000;

/**
 * `GET /v1/stream`: server-sent events of every change of what the API shows. Each has an id; who sends the last one as
 * `Last-Event-ID` gets what came since, or `reset`: then all that was read is to be read again.
 */
export function streamRoutes(app: FastifyInstance, { model, registry }: ApiPorts): void {
  const { feed } = model;
  const watch = new ServiceWatch(model);
  const open = new Set<Follower>();
  const dropped = new Counter({
    name: 'flyball_api_stream_dropped_total',
    help: 'Followers of the stream that were let go because they read too slowly.',
    registers: [registry],
  });
  new Gauge({
    name: 'flyball_api_stream_followers',
    help: 'Who follows the stream now.',
    registers: [registry],
    collect() {
      this.set(open.size);
    },
  });
  app.get('/v1/stream', async (request, reply) => {
    if (open.size >= FOLLOWERS_MAX) {
      const fix = 'Close a console, or ask again later.';
      throw new HttpProblem(503, 'STREAM_FULL', `${FOLLOWERS_MAX} follow the stream already`, fix);
    }
    const follower = new Follower(feed, reply, () => dropped.inc());
    open.add(follower);
    follower.onEnd = () => open.delete(follower);
    const lastId = request.headers['last-event-id'];
    follower.begin(typeof lastId === 'string' ? lastId : undefined);
    watch.start();
  });
  app.addHook('preClose', async () => {
    watch.stop();
    for (const follower of open) follower.end();
  });
}

/** One who follows. */
class Follower {
  onEnd: () => void = () => undefined;
  readonly #feed: ChangeFeed;
  readonly #response: ServerResponse;
  readonly #onDropped: () => void;
  #unfollow: () => unknown = () => undefined;
  #beat: NodeJS.Timeout | undefined;

  constructor(feed: ChangeFeed, reply: FastifyReply, onDropped: () => void) {
    this.#feed = feed;
    this.#onDropped = onDropped;
    reply.hijack();
    this.#response = reply.raw;
  }

  /** Sends what came since `lastId`, and then what comes. */
  begin(lastId: string | undefined): void {
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      connection: 'close',
      'x-content-type-options': 'nosniff',
      'x-accel-buffering': 'no',
    });
    this.#response.on('close', () => this.end());
    this.#response.on('error', () => this.end());
    this.#response.write(`retry: ${RETRY_MS}\n\n`);
    const missed = lastId === undefined ? undefined : this.#feed.since(lastId);
    if (missed === undefined) {
      const reason = lastId === undefined ? 'you start here' : 'what came since is not known any more';
      this.#write(this.#feed.lastId, 'reset', { reason });
    }
    for (const change of missed ?? []) this.#send(change);
    this.#unfollow = this.#feed.follow((change) => this.#send(change));
    this.#beat = setInterval(() => this.#response.write(': beat\n\n'), BEAT_EVERY_MS);
  }

  /** Lets go of it. Safe to call twice. */
  end(): void {
    this.#unfollow();
    clearInterval(this.#beat);
    this.#response.end();
    this.onEnd();
  }

  #send({ seq, event, data }: Change): void {
    if (this.#response.writableLength > WAITING_BYTES_MAX) {
      this.#onDropped();
      this.#response.write(`event: dropped\ndata: ${JSON.stringify({ reason: 'you read too slowly' })}\n\n`);
      this.end();
      setTimeout(() => this.#response.destroy(), FAREWELL_MS).unref();
      return;
    }
    this.#write(this.#feed.idOf(seq), event, data);
  }

  #write(id: string, event: string, data: unknown): void {
    this.#response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}
