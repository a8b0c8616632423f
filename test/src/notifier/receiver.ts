import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that a {@link Receiver} has got. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Whatever listens at a connection: it keeps all that it gets, and answers as a test wants. */
export class Receiver {
  readonly received: Received[] = [];
  /** Those of them that were answered with 200. */
  readonly taken: Received[] = [];
  /** What the next requests are answered; `hang` never answers. */
  answer: { readonly status: number; readonly headers?: Record<string, string> } | 'hang' = { status: 200 };
  /** What the very next requests are answered, one each, before `answer` counts again. */
  readonly next: number[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async open(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Bodies as JSON, oldest first. */
  bodies<T>(): readonly T[] {
    return this.received.map(({ body }) => JSON.parse(body) as T);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { url: path = '', headers } = request;
    this.received.push({ path, headers, body: Buffer.concat(chunks).toString() });
    const status = this.next.shift();
    const answer = status === undefined ? this.answer : { status };
    if (answer === 'hang') return;
    if (answer.status === 200) this.taken.push(this.received.at(-1)!);
    response.writeHead(answer.status, 'headers' in answer ? answer.headers : {});
    response.end('ok');
  }
}
