import { SpanTable, tracesCodec } from '@flyball/contracts';
import { RejectedError } from '@flyball/core';
import { type PlainSpan, plainSpansOf, spanTableOf } from '@flyball/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';

// Goal: the joiner hears of each span what `local` saw, and keeps it when others are forgotten; and a message that does not fit
// together stops a lane rather than being misread. Method: any spans, through the bytes and through another table.

const exactly = (length: number) => ({ minLength: length, maxLength: length });
const hex = (digits: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), ...exactly(digits) });
const subject = fc.record({ tenant: fc.string(), environment: fc.string(), service: fc.string() });
const spans: fc.Arbitrary<PlainSpan[]> = fc.array(
  fc.record({
    ...{ traceId: hex(32), spanId: hex(16), subject, name: fc.string(), kind: fc.nat(5), instance: fc.string() },
    parentId: fc.oneof(
      fc.constant(''),
      hex(16).filter((id) => /[^0]/.test(id)),
    ),
    ...{ isError: fc.boolean(), endUs: fc.maxSafeNat(), durationUs: fc.nat(2 ** 31 - 1), peer: fc.string() },
  }),
  { minLength: 1, maxLength: 90 },
);
const bytesOf = (table: SpanTable) => tracesCodec.encode({ type: 'spans', spans: table });

test('spans survive their bytes', () => {
  fc.assert(
    fc.property(spans, (each) => {
      const read = tracesCodec.decode({ value: bytesOf(spanTableOf(each)) });
      expect(read.type === 'spans' && plainSpansOf(read.spans)).toEqual(each);
    }),
  );
});

test('spans that are copied into another table are what they were, in a table that was used before too', () => {
  const used = new SpanTable(1);
  fc.assert(
    fc.property(spans, spans, (first, second) => {
      used.clear();
      for (const each of [first, second]) {
        const table = spanTableOf(each);
        const copy = used.copier(table);
        // Every other one, as when some are forgotten.
        for (let span = 0; span < table.count; span += 2) copy(span);
      }
      const everyOther = (each: PlainSpan[]) => each.filter((_, index) => index % 2 === 0);
      expect(plainSpansOf(used)).toEqual([...everyOther(first), ...everyOther(second)]);
    }),
  );
});

test('a message with a byte changed or cut is refused or says other spans: it never brings the lane down in another way', () => {
  fc.assert(
    fc.property(spans, fc.nat(), fc.nat(255), (each, place, byte) => {
      const bytes = bytesOf(spanTableOf(each));
      for (const broken of [bytes.with(place % bytes.length, byte), bytes.subarray(0, place % bytes.length)]) {
        try {
          const read = tracesCodec.decode({ value: broken });
          if (read.type === 'spans') expect(() => plainSpansOf(read.spans)).not.toThrow();
        } catch (error) {
          expect(error).toBeInstanceOf(RejectedError);
          expect(error).toMatchObject({ code: 'TRACES_UNREADABLE' });
        }
      }
    }),
  );
});
