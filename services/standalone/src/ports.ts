import { AppError } from '@flyball/core';

/** How many ports are tried when the wanted one is taken. */
const TRIES_MAX = 50;

/**
 * Listens on a port, or on the next free one above it where that is wanted.
 *
 * @throws {UnavailableError} `PORT_TAKEN`
 */
export async function listenFrom<T>(
  port: number,
  takesFree: boolean,
  listen: (port: number) => Promise<T>,
): Promise<T> {
  for (let tried = 0; ; tried += 1) {
    try {
      return await listen(port + tried);
    } catch (error) {
      const isTaken = error instanceof AppError && error.code === 'PORT_TAKEN';
      if (!isTaken || !takesFree || port === 0 || tried === TRIES_MAX) throw error;
    }
  }
}
