import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

// Goal: what is written in place, in a buffer that is used again, has the very bytes of what is written apart: recorded lanes are
// compared byte by byte. Oracle: the plain writer, a message at a time.

const counts = fc.array(fc.oneof(fc.nat(200), fc.nat(2 ** 40), fc.constant(0)), { maxLength: 400 });
const text = fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 60 }));
const level = (children: fc.Arbitrary<Tree[]>): fc.Arbitrary<Tree> => fc.record({ text, counts, children });
const leaf = level(fc.constant([]));
const tree = level(fc.array(level(fc.array(leaf, { maxLength: 3 })), { maxLength: 3 }));

interface Tree {
  readonly text: string;
  readonly counts: readonly number[];
  readonly children: readonly Tree[];
}

function inPlace(writer: WireWriter, { text, counts, children }: Tree): void {
  writer.text(1, text).packed(2, counts);
  for (const child of children) writer.message(3, (body) => inPlace(body, child));
}

/** The same, each message in a writer of its own, each text by the encoder. */
function apart({ text, counts, children }: Tree): Uint8Array {
  const writer = new WireWriter();
  if (text !== '') writer.bytes(1, new TextEncoder().encode(text));
  writer.bytes(2, Uint8Array.from(counts.flatMap(varint)));
  for (const child of children) writer.bytes(3, apart(child));
  return writer.finish();
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...varint(Math.floor(value / 0x80))];
}

test('messages, texts and packed numbers that are written in place have the bytes of those that are written apart', () => {
  fc.assert(
    fc.property(tree, (each) => {
      expect(WireWriter.encode((writer) => inPlace(writer, each))).toEqual(apart(each));
    }),
  );
});

test('who encodes while somebody encodes, or after somebody failed, gets bytes of their own', () => {
  const inner = { text: 'inner', counts: [1], children: [] };
  const bytes = WireWriter.encode((writer) =>
    writer.bytes(
      3,
      WireWriter.encode((other) => inPlace(other, inner)),
    ),
  );
  expect(bytes).toEqual(new WireWriter().bytes(3, apart(inner)).finish());
  const fail = () => WireWriter.encode((writer) => (writer.text(1, 'half'), new WireReader('CUT').fail('planted')));
  expect(fail).toThrow('planted');
  expect(WireWriter.encode((writer) => inPlace(writer, inner))).toEqual(apart(inner));
});

const SHORT_FIELDS: Readonly<Record<string, (writer: WireWriter) => WireWriter>> = {
  'packed numbers': (writer) => writer.packed(2, [1, 2, 3]),
  'packed large numbers': (writer) => writer.packed(2, [1, 2 ** 40, 3]),
  'a message': (writer) => writer.message(3, (body) => body.varint(1, 5)),
  'a message in a message': (writer) => writer.message(3, (body) => body.message(3, (inner) => inner.text(1, 'in'))),
  'a long message': (writer) => writer.message(3, (body) => body.raw(new Uint8Array(200).fill(7))),
  'a text': (writer) => writer.text(1, 'short'),
  'a text of two bytes a character': (writer) => writer.text(1, 'schön'),
  'a number': (writer) => writer.varint(1, 2 ** 50),
  'fixed numbers': (writer) => writer.fixed64(1, 5n).fixed32(2, 6).double(3, 0.5),
};

// A column that ends where the buffer does once became zeros: which of them depended on what the process had written before.
test.each(Object.keys(SHORT_FIELDS))('%s has the same bytes wherever the buffer ends', (name) => {
  const write = SHORT_FIELDS[name]!;
  const alone = write(new WireWriter()).finish();
  for (let before = 0; before < 1_100; before += 1) {
    const writer = write(new WireWriter().raw(new Uint8Array(before).fill(9)));
    const [bytes, padding] = [writer.finish(), new Uint8Array(before).fill(9)];
    expect(Buffer.compare(bytes, Buffer.concat([padding, alone])), `after ${before} bytes`).toBe(0);
  }
});
