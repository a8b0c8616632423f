import type { WireReader } from '@flyball/core';
import type { SignalKind } from './topology.ts';

/**
 * What a window is made from. Each kind has its own time: windows of one do not wait for the partitions of another. `edges`
 * come from the joiner: who called whom, and where the time went.
 */
export type WindowKind = SignalKind | 'edges';

/** By number on the wire. */
export const WINDOW_KINDS: readonly WindowKind[] = ['traces', 'metrics', 'logs', 'edges'];

/** Number of a kind. */
export function encodeWindowKind(kind: WindowKind): number {
  return WINDOW_KINDS.indexOf(kind);
}

/** Kind of a number; fails for one of a later release. */
export function decodeWindowKind(reader: WireReader, number: number): WindowKind {
  return WINDOW_KINDS[number] ?? reader.fail('kind of window');
}
