import { textOf, utf8 } from './bytes.ts';
import { RejectedError } from './errors.ts';

const VERSION = 1;

/** A processor's state as bytes: JSON with a version. The same state must always be given in the same order. */
export function encodeSnapshot(state: object): Uint8Array {
  return utf8(JSON.stringify({ v: VERSION, ...state }));
}

/**
 * Reads what {@link encodeSnapshot} wrote.
 *
 * @throws {RejectedError} `SNAPSHOT_INVALID`: the runner sets the checkpoint aside and tries an older one.
 */
export function decodeSnapshot<State extends object>(snapshot: Uint8Array): State {
  let saved: { v?: number };
  try {
    saved = JSON.parse(textOf(snapshot)) as { v?: number };
  } catch (cause) {
    throw new RejectedError('SNAPSHOT_INVALID', 'snapshot is not JSON', { cause });
  }
  if (saved.v !== VERSION) throw new RejectedError('SNAPSHOT_INVALID', 'snapshot has an unknown version');
  delete saved.v;
  return saved as State;
}
