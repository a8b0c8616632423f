import { MINUTE_MS } from '@flyball/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Marks, WRITER_MARKS_MAX } from './marks.ts';
import { formatProvenance, provenanceOf, writerOrigin } from './provenance.ts';

// Goal: a record that was appended twice counts once, for every origin, also after a restart; and marks of
// writers that are gone do not pile up.

const of = (origin: string, position: number, index = 0, epoch = 0) => ({ origin, epoch, position, index });

test('repeats from any earlier place are dropped, new records never, also across a restart', () => {
  const run = fc.array(fc.record({ back: fc.nat(5), forth: fc.integer({ min: 1, max: 6 }), restarts: fc.boolean() }));
  fc.assert(
    fc.property(run, (attempts) => {
      let marks = new Marks();
      let next = 0;
      const accepted: number[] = [];
      for (const { back, forth, restarts } of attempts) {
        if (restarts) marks = new Marks(JSON.parse(JSON.stringify(marks.save())));
        const from = Math.max(0, next - back);
        for (let position = from; position < from + forth; position += 1) {
          if (marks.raise(of('local:otlp_spans/0', position), 0)) accepted.push(position);
        }
        next = Math.max(next, from + forth);
      }
      expect(accepted).toEqual(Array.from({ length: next }, (_, position) => position));
    }),
  );
});

test('records are ordered by epoch, then position, then index', () => {
  const marks = new Marks();
  expect(marks.raise(of('a', 5, 1), 0)).toBe(true);
  expect(marks.raise(of('a', 5, 0), 0)).toBe(false);
  expect(marks.raise(of('a', 5, 2), 0)).toBe(true);
  expect(marks.raise(of('a', 6, 0), 0)).toBe(true);
  expect(marks.raise(of('a', 0, 0, 1), 0)).toBe(true); // After a reset the lane starts at a lower offset.
  expect(marks.raise(of('a', 9, 0, 0), 0)).toBe(false); // Its former life is over.
  expect(marks.raise(undefined, 0)).toBe(true);
});

test('marks of writers go after ten minutes of log time, those of lanes never', () => {
  const marks = new Marks();
  const writer = writerOrigin('ingest', 'run-1');
  marks.raise(of(writer, 1), 0);
  marks.raise(of('local:otlp_spans/0', 1), 0);
  marks.raise(of(writerOrigin('ingest', 'run-2'), 1), 11 * MINUTE_MS);
  expect(marks.save().marks.map(([origin]) => origin)).toEqual(['local:otlp_spans/0', 'writer:ingest/run-2']);
});

test('there are never more than ten thousand writers', () => {
  const marks = new Marks();
  for (let run = 0; run < WRITER_MARKS_MAX + 100; run += 1) marks.raise(of(writerOrigin('ingest', `${run}`), 1), run);
  expect(marks.save().marks).toHaveLength(WRITER_MARKS_MAX);
});

test('provenance survives its header, and a header that is not ours is refused', () => {
  const provenance = of('writer:ingest/a.b@c/otlp_spans', 7, 2, 1);
  expect(provenanceOf({ 'flyball-provenance': formatProvenance(provenance) })).toEqual(provenance);
  expect(provenanceOf({})).toBeUndefined();
  expect(() => provenanceOf({ 'flyball-provenance': 'x' })).toThrow(
    expect.objectContaining({ code: 'PROVENANCE_INVALID' }),
  );
});
