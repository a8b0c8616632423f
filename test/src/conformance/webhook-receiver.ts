import { signatureOf } from '@flyball/outbound';
import { Shop } from '@flyball/twin';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';

/** Oldest request that a receiver takes, seconds. */
const AGE_SECONDS_MAX = 300;

/** A body as the driver sends it; what is absent for its type is not looked at. */
interface Ordered {
  readonly type: string;
  readonly target: { readonly name: string };
  readonly commandId: string;
  readonly generation: [number, number];
  readonly action: { readonly type: string };
  readonly doneRatio: number;
}

/** What a user of the webhook would write: it checks the signature, and acts on a shop of the twin. */
export class WebhookReceiver {
  readonly shop = new Shop('demo', 1, 1);
  /** Bodies of requests whose signature was right, as they came. */
  readonly taken: Ordered[] = [];
  /** Answers instead of the usual one: a status and a body; `hang` never answers. */
  answer: { readonly status: number; readonly body: string; readonly location?: string } | 'hang' | undefined;
  readonly #secret: string;
  readonly #server: Server;

  private constructor(secret: string) {
    this.#secret = secret;
    this.#server = createServer((request, response) => {
      void this.#take(request).then(({ status, body, location }) => {
        response.writeHead(status, location === undefined ? {} : { location });
        response.end(body);
      });
    });
  }

  static async open(secret: string): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver(secret);
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage): Promise<{ status: number; body: string; location?: string }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const of = (name: string) => String(request.headers[name]);
    const [id, timestamp] = [of('flyball-id'), of('flyball-timestamp')];
    const isRecent = Math.abs(Date.now() / 1_000 - Number(timestamp)) < AGE_SECONDS_MAX;
    if (!isRecent || of('flyball-signature') !== signatureOf(this.#secret, { id, timestamp, body }))
      return { status: 401, body: '{}' };
    const order = JSON.parse(body) as Ordered;
    this.taken.push(order);
    if (this.answer === 'hang') return new Promise(() => undefined);
    return this.answer ?? { status: 200, body: JSON.stringify(this.#obey(order)) };
  }

  #obey({ type, target: { name }, commandId, generation, action, doneRatio }: Ordered): unknown {
    const { rollouts } = this.shop;
    const rollout = rollouts.read(name, 0)!;
    const { stable, canary, text, lastCommandId, throttle, isolated } = rollout;
    if (type === 'read') return { text, versions: canary === null ? [stable] : [stable, canary] };
    if (type === 'has') {
      const inPlace = [lastCommandId, throttle?.commandId, ...isolated.map((each) => each.commandId)];
      return { isInPlace: inPlace.includes(commandId) };
    }
    if (type === 'invert') {
      const done = rollouts.release(name, { commandId, doneRatio }, 0)!;
      return done.ok ? { status: 'done', before: done.before, after: done.after } : { status: 'gone' };
    }
    const { type: verb, ...rest } = action;
    const done = rollouts.obey(name, { verb, commandId, generation, ...rest } as never, 0)!;
    return done.ok ? { status: 'applied', before: done.before, after: done.after } : { status: done.code };
  }
}
