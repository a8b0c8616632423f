import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CsvRows, unquoted } from './csv-rows.ts';

// Goal: a user's csv is read as it was written, however it comes in pieces, and an error names the right line.

const rowsOf = (...pieces: string[]) => {
  const rows = new CsvRows();
  return [...pieces.flatMap((piece) => rows.push(piece)), ...rows.end()];
};

test('quotes, commas in them, CRLF, a BOM, blank lines and a missing last line break', () => {
  expect(rowsOf('\uFEFF"a","b"\r\n\r\n1,"x,""y""",\n \n2,5" disk,z\n"3,\n4",5')).toEqual([
    { fields: ['"a"', '"b"'], line: 1 },
    { fields: ['1', '"x,""y"""', ''], line: 3 },
    { fields: ['2', '5" disk', 'z'], line: 5 },
    { fields: ['"3,\n4"', '5'], line: 6 },
  ]);
  expect(rowsOf('1,2\r3,4\r').map(({ fields }) => fields)).toEqual([
    ['1', '2'],
    ['3', '4'],
  ]);
  expect(unquoted(' "a ""b""" ')).toBe('a "b"');
});

test('a row comes out as soon as it has ended', () => {
  const rows = new CsvRows();
  expect(rows.push('1,2')).toEqual([]);
  expect(rows.push('\n3')).toEqual([{ fields: ['1', '2'], line: 1 }]);
});

test('pieces do not matter', () => {
  const text = fc.array(fc.constantFrom('1', ',', '"', '""', '\n', '\r\n', '\r', ' ', 'é', '\uFEFF'), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(text, fc.array(fc.nat(100), { maxLength: 5 }), (parts, cuts) => {
      const whole = parts.join('');
      const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
      const pieces = at.slice(1).map((end, index) => whole.slice(at[index], end));
      expect(rowsOf(...pieces)).toEqual(rowsOf(whole));
    }),
  );
});

test('a quote that nobody closes is told of by its line, and does not eat the memory', () => {
  const rows = new CsvRows();
  rows.push('a,b\n1,"');
  expect(() => {
    for (let piece = 0; piece < 20; piece += 1) rows.push('2,3\n'.repeat(16_384));
  }).toThrow('the row on line 2 does not end within 1 MiB');
});
