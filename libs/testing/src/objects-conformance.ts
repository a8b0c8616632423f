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

    test('creates only where there is nothing, whole', async () => {
      expect(await objects.create('claims/a', utf8('first'))).toBe(true);
      expect(await objects.create('claims/a', utf8('second, longer'))).toBe(false);
      expect(await objects.get('claims/a')).toEqual(utf8('first'));
      expect(await objects.list('claims/')).toEqual(['claims/a']);
      await objects.put('claims/a', utf8('third'));
      await objects.delete('claims/a');
      expect(await objects.create('claims/a', utf8('fourth'))).toBe(true);
      expect(await objects.get('claims/a')).toEqual(utf8('fourth'));
    });

    test('lets one of twenty create a value', async () => {
      const values = Array.from({ length: 20 }, (_, index) => utf8(`claim of ${index}`));
      const won = await Promise.all(values.map((value) => objects.create('claims/b', value)));
      expect(won.filter((isMine) => isMine)).toHaveLength(1);
      expect(await objects.get('claims/b')).toEqual(values[won.indexOf(true)]);
      expect(await objects.list('claims/')).toEqual(['claims/b']);
    });

    test('keeps names with a colon, and names that begin alike, apart', async () => {
      const names = ['a:b/c.d-e_f', 'a:b/c.d-e_f.g', 'a:b/c.d-e_g', 'a:c/0', 'a/0'];
      for (const each of names) await objects.put(each, utf8(each));
      for (const each of names) expect(await objects.get(each)).toEqual(utf8(each));
      expect(await objects.list('a:b/')).toEqual(names.slice(0, 3));
      expect(await objects.list('a')).toEqual([...names].sort());
    });

    test.each(['../x', 'a/../b', '/etc/passwd', 'a//b', '', 'a b', 'a\0b', '.', 'a/', 'ä', 'a%2fb', 'a\\b'])(
      'refuses the name %j',
      async (bad) => {
        const refusal = { code: 'OBJECT_NAME', kind: 'rejected' };
        await expect(objects.put(bad, new Uint8Array(1))).rejects.toMatchObject(refusal);
        await expect(objects.create(bad, new Uint8Array(1))).rejects.toMatchObject(refusal);
        await expect(objects.get(bad)).rejects.toMatchObject(refusal);
        await expect(objects.delete(bad)).rejects.toMatchObject(refusal);
      },
    );
  });
}
