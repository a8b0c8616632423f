import { UnavailableError } from '@flyball/core';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A port of a process, while it listens. */
export interface ListeningPort {
  readonly port: number;
  /** Stops at once: connections that are open are closed. */
  close(): Promise<void>;
}

/** Where to listen, and what is said where something else does. */
export interface ListenOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** What went wrong, and what to do about it. */
  readonly taken: string;
  readonly hint?: string;
}

/** Has a server listen. @throws {UnavailableError} `PORT_TAKEN` */
export async function listenOn(server: Server, { host, port, taken, hint }: ListenOptions): Promise<ListeningPort> {
  await new Promise<void>((resolve, reject) => {
    const about = hint === undefined ? {} : { hint };
    server.once('error', (cause) => reject(new UnavailableError('PORT_TAKEN', taken, { cause, ...about })));
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
