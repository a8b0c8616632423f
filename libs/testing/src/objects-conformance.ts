import { utf8 } from '@flyball/core';
import type { Objects } from '@flyball/runtime';
import { beforeEach, describe, expect, test } from 'vitest';

/** The conformance suite of the port `Objects`. Every driver runs it. */
export function objectsConformance(name: string, make: () => Promise<Objects>): void {
  describe(`an object store (${name})`, () => {
    let objects: Objects;
    beforeEach(async () => {
      objects = await make();
    });

    test('gives back what was put, the newest, byte for byte', async () => {
      const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
      await objects.put('checkpoints/local:otlp_spans/0/000001', utf8('old'));
      await objects.put('checkpoints/local:otlp_spans/0/000001', bytes);
      expect(await objects.get('checkpoints/local:otlp_spans/0/000001')).toEqual(bytes);
      expect(await objects.get('checkpoints/none')).toBeUndefined();
    });

    test('hands out copies: nobody can change what is stored', async () => {
      const bytes = utf8('abc');
      await objects.put('a', bytes);
      bytes[0] = 0;
      (await objects.get('a'))![1] = 0;
      expect(await objects.get('a')).toEqual(utf8('abc'));
    });

    test('lists by prefix, in order, also where the prefix ends within a name', async () => {
      for (const each of ['b/2', 'b/10', 'a/1', 'bc/1', 'b/1/x']) await objects.put(each, utf8(each));
      expect(await objects.list('b/')).toEqual(['b/1/x', 'b/10', 'b/2']);
      expect(await objects.list('b')).toEqual(['b/1/x', 'b/10', 'b/2', 'bc/1']);
      expect(await objects.list('b/1')).toEqual(['b/1/x', 'b/10']);
      expect(await objects.list('')).toHaveLength(5);
      expect(await objects.list('nothing/')).toEqual([]);
    });

    test('deletes, also what is not there', async () => {
      await objects.put('a/b', utf8('x'));
      await objects.delete('a/b');
      await objects.delete('a/b');
      expect(await objects.get('a/b')).toBeUndefined();
      expect(await objects.list('a')).toEqual([]);
    });

    test('takes an empty value', async () => {
      await objects.put('deaths/x', new Uint8Array(0));
      expect(await objects.get('deaths/x')).toEqual(new Uint8Array(0));
    });
  });
}
