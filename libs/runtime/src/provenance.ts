import { RejectedError } from '@flyball/core';
import type { Headers } from './record.ts';

/**
 * Who stamped a record, and which of theirs it is. The same cause always yields the same provenance, so
 * a record that was appended twice can be told.
 */
export interface Provenance {
  /** A lane (`global:flyball.partials/0`), or a writer: one start of one edge and partition (`writer:…`). */
  readonly origin: string;
  /** Which life of the origin; grows at a lane reset only. */
  readonly epoch: number;
  /** Derived record: offset of its cause in the lane's inbox. Fact: sequence number of its writer. */
  readonly position: number;
  /** Place among the records of one cause, from 0. */
  readonly index: number;
}

/** Header that carries the provenance: `<epoch>.<position>.<index>@<origin>`. */
export const PROVENANCE_HEADER = 'flyball-provenance';
/** Header that carries the log time of a derived record, ms since the Unix epoch. */
export const AT_HEADER = 'flyball-at-ms';

const WRITER_PREFIX = 'writer:';
const PATTERN = /^(\d+)\.(\d+)\.(\d+)@(.+)$/;

/** Origin of a writer. A new one is needed for every start, and after every append that was given up. */
export function writerOrigin(edge: string, run: string): string {
  return `${WRITER_PREFIX}${edge}/${run}`;
}

/** Whether an origin is a writer, whose marks do not live for ever. */
export function isWriter(origin: string): boolean {
  return origin.startsWith(WRITER_PREFIX);
}

/** Provenance as header text. */
export function formatProvenance({ epoch, position, index, origin }: Provenance): string {
  return `${epoch}.${position}.${index}@${origin}`;
}

/**
 * Reads the provenance of a record.
 *
 * @returns `undefined` where there is none: a foreign producer's record, which counts as it comes.
 * @throws {RejectedError} `PROVENANCE_INVALID` when the header is not ours: dead-letter the record.
 */
export function provenanceOf(headers: Headers): Provenance | undefined {
  const text = headers[PROVENANCE_HEADER];
  if (text === undefined) return undefined;
  const match = PATTERN.exec(text);
  if (match === null) throw new RejectedError('PROVENANCE_INVALID', 'provenance header cannot be read');
  return { epoch: Number(match[1]), position: Number(match[2]), index: Number(match[3]), origin: match[4]! };
}
