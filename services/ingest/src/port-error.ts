import { UnavailableError } from '@flyball/core';

/** The error for a port that cannot be listened on. */
export function portError(what: string, port: number, cause: Error): UnavailableError {
  return new UnavailableError('PORT_TAKEN', `${what} cannot listen on port ${port}`, {
    hint: 'Stop what listens there, or choose another port in the configuration.',
    cause,
    detail: { port },
  });
}
