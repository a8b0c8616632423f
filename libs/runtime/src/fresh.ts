import { RejectedError } from '@flyball/core';
import { cutOf } from './cut.ts';
import type { Marks } from './marks.ts';
import { provenanceOf } from './provenance.ts';
import type { StoredRecord } from './record.ts';

/**
 * Records that say something new to an edge that reads a topic of ours without a lane: neither appended twice, nor by a
 * zombie, nor a cut, which is for lanes alone. Raises the marks.
 */
export function fresh(records: readonly StoredRecord[], marks: Marks): readonly StoredRecord[] {
  return records.filter((record) => isFresh(record, marks));
}

/** Whether one record says something new; raises the marks. */
export function isFresh({ headers, appendedAtMs }: StoredRecord, marks: Marks): boolean {
  return cutOf(headers) === undefined && marks.raise(provenanceOf(headers), appendedAtMs);
}

/** {@link isFresh} for a view, which nothing must hold up: a record whose headers nobody can read is not new to it. */
export function isNews(record: StoredRecord, marks: Marks): boolean {
  try {
    return isFresh(record, marks);
  } catch (error) {
    if (error instanceof RejectedError) return false;
    throw error;
  }
}
