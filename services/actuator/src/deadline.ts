import { UnavailableError } from '@flyball/core';

/**
 * Waits for a call of a target until a deadline, also where the driver does not heed its signal.
 *
 * @throws {UnavailableError} `TARGET_UNKNOWN` at the deadline.
 */
export function withinDeadline<T>(deadlineMs: number, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(deadlineMs);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new UnavailableError('TARGET_UNKNOWN', 'the attempt ran into its deadline'));
    });
  });
  return Promise.race([call(signal), late]);
}
