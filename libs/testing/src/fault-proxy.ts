import { connect, createServer, type Server, type Socket } from 'node:net';

/** What becomes of bytes of one direction: they pass; they wait, as those that TCP sends again and again; they are lost. */
type Flow = 'pass' | 'hold' | 'drop';

interface Flows {
  readonly requests: Flow;
  readonly answers: Flow;
}

const FLOWS = {
  pass: { requests: 'pass', answers: 'pass' },
  /** All bytes wait, and arrive when the link is well again, however late that is. */
  clog: { requests: 'hold', answers: 'hold' },
  /** Connections are taken, and nothing ever comes through. */
  'black-hole': { requests: 'drop', answers: 'drop' },
  /** The server does what it is asked, and nobody hears of it. */
  'no-answers': { requests: 'pass', answers: 'drop' },
  /** What the server was asked before is answered, and nothing new reaches it. */
  'no-requests': { requests: 'drop', answers: 'pass' },
} as const satisfies Record<string, Flows>;

/** How a link is: it passes, loses or holds back bytes; or it is `cut`: connections are reset, new ones too. */
export type LinkFault = keyof typeof FLOWS | 'cut';

/** Stands before a server, and does to its connections what a network does. Faults may change at any time. */
export class FaultProxy {
  /** How late every byte arrives, each way, ms. */
  delayMs = 0;
  /** How many answers are lost from now on, each with its connection. */
  lossesLeft = 0;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #fault: LinkFault = 'pass';

  private constructor(targetPort: number) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client, targetPort));
  }

  /**
   * @param targetPort - of a server on 127.0.0.1, which need not be there yet.
   * @param ownPort - where it listens itself; any free one by default.
   */
  static async start(targetPort: number, ownPort = 0): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(ownPort, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the proxy does not listen');
    return address.port;
  }

  /** Sets the fault of all connections, present and coming. Those that have lost bytes are reset once they pass again. */
  set(fault: LinkFault): void {
    this.#fault = fault;
    for (const connection of this.#connections) {
      if (fault === 'cut') connection.reset();
      else connection.changed();
    }
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket, targetPort: number): void {
    client.on('error', () => undefined);
    // The port is kept while the link is cut, so that nobody else takes it.
    if (this.#fault === 'cut') {
      reset(client);
      return;
    }
    const server = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
    const flow = (way: keyof Flows) => () => (this.#fault === 'cut' ? 'drop' : FLOWS[this.#fault][way]);
    const delayMs = () => this.delayMs;
    const requests = new Way(client, server, { flow: flow('requests'), delayMs });
    const answers = new Way(server, client, { flow: flow('answers'), delayMs, isLost: (bytes) => this.#loses(bytes) });
    const connection = new Connection(client, server, [requests, answers]);
    this.#connections.add(connection);
    connection.onGone(() => this.#connections.delete(connection));
  }

  #loses(answer: Buffer): boolean {
    // An interim answer, as to `Expect: 100-continue`, is none yet.
    if (this.lossesLeft === 0 || answer.subarray(0, 12).toString() === 'HTTP/1.1 100') return false;
    this.lossesLeft -= 1;
    return true;
  }
}

class Connection {
  readonly #sockets: readonly Socket[];
  readonly #ways: readonly Way[];

  constructor(client: Socket, server: Socket, ways: readonly Way[]) {
    this.#sockets = [client, server];
    this.#ways = ways;
  }

  /** A stream with a hole in it is none: where bytes were lost, the connection does not go on. */
  changed(): void {
    if (this.#ways.some((way) => way.hasHole && way.passes)) this.reset();
    else for (const way of this.#ways) way.flush();
  }

  reset(): void {
    for (const socket of this.#sockets) reset(socket);
  }

  onGone(work: () => void): void {
    for (const socket of this.#sockets) {
      socket.once('close', () => {
        if (this.#sockets.every(({ closed }) => closed)) work();
      });
    }
  }
}

/** What a way asks its proxy. */
interface WayRules {
  readonly flow: () => Flow;
  readonly delayMs: () => number;
  readonly isLost?: (bytes: Buffer) => boolean;
}

/** Bytes, `end` when the sender has no more of them, `close` when its socket is gone. */
type Parcel = Buffer | 'end' | 'close';

/** One direction of a connection. Parcels keep their order, whatever is done to them. */
class Way {
  hasHole = false;
  readonly #to: Socket;
  readonly #rules: WayRules;
  readonly #waiting: { readonly parcel: Parcel; readonly dueMs: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, rules: WayRules) {
    this.#to = to;
    this.#rules = rules;
    from.on('data', (bytes) => {
      if (rules.isLost?.(bytes) === true) reset(to);
      else this.#take(bytes);
    });
    from.on('end', () => this.#take('end'));
    from.on('close', () => this.#take('close'));
  }

  get passes(): boolean {
    return this.#rules.flow() === 'pass';
  }

  #take(parcel: Parcel): void {
    this.#waiting.push({ parcel, dueMs: performance.now() + this.#rules.delayMs() });
    this.flush();
  }

  /** Hands over what is due, as far as the present fault lets it. */
  flush(): void {
    const flow = this.#rules.flow();
    if (flow === 'hold') return;
    if (flow === 'drop') {
      this.hasHole ||= this.#waiting.length > 0;
      this.#waiting.length = 0;
      return;
    }
    while (this.#waiting.length > 0 && this.#waiting[0]!.dueMs <= performance.now()) {
      this.#deliver(this.#waiting.shift()!.parcel);
    }
    clearTimeout(this.#timer);
    const next = this.#waiting[0];
    if (next !== undefined) this.#timer = setTimeout(() => this.flush(), Math.ceil(next.dueMs - performance.now()));
  }

  #deliver(parcel: Parcel): void {
    if (resetting.has(this.#to)) return;
    if (parcel === 'close') this.#to.destroy();
    else if (parcel === 'end') this.#to.end();
    else if (this.#to.writable) this.#to.write(parcel);
  }
}

const resetting = new WeakSet<Socket>();

/**
 * Resets a socket. Node ends it first, and resets when that is done: whoever destroys it between the two can leave a handle that is
 * never closed, and a process that does not exit. So it is left alone from then on, and one that has ended already is only closed.
 */
function reset(socket: Socket): void {
  if (resetting.has(socket)) return;
  if (socket.writableEnded) {
    socket.destroy();
  } else {
    resetting.add(socket);
    socket.resetAndDestroy();
  }
}
