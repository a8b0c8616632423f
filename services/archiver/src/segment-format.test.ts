import { utf8 } from '@flyball/core';
import type { StoredRecord } from '@flyball/runtime';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layOut, pack, readBack, unpack } from './segment-format.ts';

// Goal: whatever a record holds comes back byte for byte. Method: bodies that are JSON, almost JSON, or anything; headers and keys of
// any text; through the files and back.

const body = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.jsonValue().map((value) => utf8(JSON.stringify(value))),
  fc.dictionary(fc.string(), fc.jsonValue()).map((value) => utf8(JSON.stringify(value))),
  fc.dictionary(fc.string(), fc.jsonValue()).map((value) => utf8(JSON.stringify(value, null, 1))),
  fc.string().map((text) => utf8(`{${text}`)),
);
const record = fc.record({ key: fc.string(), headers: fc.dictionary(fc.string(), fc.string()), value: body });

test('records come back byte for byte', async () => {
  const property = fc.asyncProperty(fc.array(record, { maxLength: 20 }), async (drawn) => {
    const records = drawn.map((each, index): StoredRecord => ({
      ...each,
      headers: { ...each.headers },
      offset: 7 + index,
      appendedAtMs: index,
    }));
    const { records: lines, bodies } = layOut(records);
    const through = async (plain: Uint8Array) => unpack(await pack(plain), plain.length);
    expect(readBack({ records: await through(lines), bodies: await through(bodies) })).toEqual(records);
  });
  await fc.assert(property, { numRuns: 300 });
});

test('what does not fit together is refused by name', async () => {
  const value = new Uint8Array([1, 2, 3]);
  const { records, bodies } = layOut([{ key: '', headers: {}, value, offset: 0, appendedAtMs: 0 }]);
  const refused = expect.objectContaining({ code: 'ARCHIVE_CORRUPT' });
  expect(() => readBack({ records, bodies: bodies.subarray(1) })).toThrow(refused);
  expect(() => readBack({ records, bodies: new Uint8Array([...bodies, 0]) })).toThrow(refused);
  const packed = await pack(records);
  await expect(unpack(packed, records.length - 1)).rejects.toEqual(refused);
  await expect(unpack(packed, records.length + 1)).rejects.toEqual(refused);
  packed[packed.length >> 1]! ^= 1;
  await expect(unpack(packed, records.length)).rejects.toEqual(refused);
});
