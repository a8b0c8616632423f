import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands before a server and loses answers: the server has done what was asked, and the client never hears of it. */
export class LossyRelay {
  /** How many answers are lost from now on. */
  lossesLeft = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#relay(client, connect(targetPort, '127.0.0.1')));
  }

  /** @param targetPort - of a server on 127.0.0.1. */
  static async start(targetPort: number): Promise<LossyRelay> {
    const relay = new LossyRelay(targetPort);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the relay does not listen');
    return address.port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #relay(client: Socket, server: Socket): void {
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
    }
    client.on('data', (chunk) => server.write(chunk));
    server.on('data', (chunk) => {
      // An interim answer, as to `Expect: 100-continue`, is none yet.
      if (this.lossesLeft === 0 || chunk.subarray(0, 12).toString() === 'HTTP/1.1 100') {
        client.write(chunk);
        return;
      }
      this.lossesLeft -= 1;
      client.destroy();
    });
  }
}
