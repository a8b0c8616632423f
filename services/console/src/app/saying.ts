import { useState } from 'react';
import type { ApiError } from './api.ts';

/** Something that a person says to the API by a button, and how that goes. */
interface Saying {
  readonly say: () => void;
  readonly isPending: boolean;
  /** What it was refused with; `null` when it was not. */
  readonly error: ApiError | null;
}

const IDLE = { isPending: false, error: null };

/**
 * Says something when it is told to.
 *
 * @param work - asks the API.
 * @param onSaid - what is done once it is on record; it stays pending until then.
 */
export function useSaying(work: () => Promise<unknown>, onSaid: () => unknown): Saying {
  const [state, setState] = useState<Omit<Saying, 'say'>>(IDLE);
  const run = async () => {
    setState({ isPending: true, error: null });
    try {
      await work();
      await onSaid();
      setState(IDLE);
    } catch (error) {
      setState({ isPending: false, error: error as ApiError });
    }
  };
  return { ...state, say: () => void run() };
}
