import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * What becomes of one request. `refused`: 503, nothing is done. `unanswered`: it is done, and answered with 500. `forbidden`: 403,
 * nothing is done. `cut`: the body of the answer ends in the middle. `flipped`: a byte of it is another. `garbled`: a byte of the
 * request's body is. `slow`: it waits for a second.
 */
export type HttpFault = 'none' | 'refused' | 'unanswered' | 'forbidden' | 'cut' | 'flipped' | 'garbled' | 'slow';

const SLOW_MS = 1_000;
const STATUS = { refused: 503, unanswered: 500, forbidden: 403 } as const;

/** Stands before an HTTP server, and has requests fail as the caller's dice say. */
export class HttpFaults {
  /** Drawn for every request. */
  draw: (method: string) => HttpFault = () => 'none';
  /** How many requests met each fault. */
  readonly met = new Map<HttpFault, number>();
  readonly #server: Server;
  readonly #target: URL;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((asked, answer) => {
      this.#serve(asked, answer).catch(() => answer.destroy());
    });
  }

  /** @param target - of the server: `http://127.0.0.1:9000`. */
  static async start(target: string): Promise<HttpFaults> {
    const faults = new HttpFaults(new URL(target));
    await new Promise<void>((resolve) => faults.#server.listen(0, '127.0.0.1', resolve));
    return faults;
  }

  /** Where it listens. */
  get url(): string {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the proxy does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const fault = this.draw(asked.method ?? '');
    this.met.set(fault, (this.met.get(fault) ?? 0) + 1);
    const chunks: Buffer[] = [];
    for await (const chunk of asked as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (fault === 'refused' || fault === 'forbidden') return refuse(answer, STATUS[fault]);
    if (fault === 'garbled') flip(body);
    if (fault === 'slow') await pause(SLOW_MS);
    const { status, headers, bytes } = await this.#forward(asked, body);
    if (fault === 'unanswered') return refuse(answer, STATUS[fault]);
    if (fault === 'flipped') flip(bytes);
    answer.writeHead(status, headers);
    if (fault !== 'cut') return void answer.end(bytes);
    // The client was promised more.
    answer.write(bytes.subarray(0, bytes.length >> 1), () => answer.destroy());
  }

  async #forward(asked: IncomingMessage, body: Buffer): Promise<Answered> {
    const { hostname, port } = this.#target;
    // As it came: the host is part of what was signed.
    const headers = without(asked.headers, 'expect');
    const answered = await new Promise<IncomingMessage>((resolve, reject) => {
      const { method, url: path } = asked;
      const forwarded: ClientRequest = request({ hostname, port, method, path, headers }, resolve);
      forwarded.on('error', reject).end(body);
    });
    const chunks: Buffer[] = [];
    for await (const chunk of answered as AsyncIterable<Buffer>) chunks.push(chunk);
    const others = without(answered.headers, 'transfer-encoding');
    return { status: answered.statusCode ?? 502, headers: others, bytes: Buffer.concat(chunks) };
  }
}

function without(headers: IncomingMessage['headers'], name: string): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name));
}

interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
}

function refuse(answer: ServerResponse, status: number): void {
  const body = `<?xml version="1.0"?><Error><Code>Planted${status}</Code><Message>planted</Message></Error>`;
  answer.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length });
  answer.end(body);
}

function flip(bytes: Buffer): void {
  if (bytes.length > 0) bytes[bytes.length >> 1]! ^= 1;
}
