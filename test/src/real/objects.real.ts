import type { Objects } from '@flyball/runtime';
import { utf8 } from '@flyball/core';
import { openS3Objects, type S3Options } from '@flyball/objects-s3';
import { FaultProxy, objectsConformance, partForTest, type RealPart, s3Ways } from '@flyball/testing';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';

// Goal: what holds for a directory holds for a real S3 server, and what goes wrong there has a name. Method: the
// conformance suite, then faults: of the operator (credentials, bucket), of the server (killed, frozen), of size.

const dir = mkdtempSync(join(tmpdir(), 'flyball-s3-'));
const part = await partForTest(s3Ways(dir));
const FAST = { connectTimeoutMs: 1_000, requestTimeoutMs: 1_000, attemptsMax: 2 };

if ('missing' in part) {
  test.skip(part.missing, () => undefined);
} else {
  objectsConformance('S3', async () => open(part));
  faultySuite(part);
}

afterAll(async () => {
  if (!('missing' in part)) await part.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A store below a prefix of its own. */
function open({ url, env }: RealPart, options: S3Options = {}, more: Record<string, string> = {}): Objects {
  const own = new URL(url);
  own.pathname += `/${randomUUID()}`;
  return openS3Objects(own.href, { ...process.env, ...env, ...more }, options);
}

async function failure(work: Promise<unknown>): Promise<{ hint?: string; detail: object; cause: Error }> {
  return work.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as never,
  );
}

function faultySuite(given: RealPart): void {
  describe('an S3 store', () => {
    test('holds a value of 20 MB, also where it is created, and refuses a second', async () => {
      const large = Uint8Array.from({ length: 20_000_000 }, (_, index) => (index * 7) % 251);
      const patient = open(given);
      await patient.put('large/a', large);
      expect(Buffer.compare((await patient.get('large/a'))!, large)).toBe(0);
      expect(await patient.create('large/b', large)).toBe(true);
      expect(await patient.create('large/b', large.slice(0, 9_000_000))).toBe(false);
      expect((await patient.get('large/b'))!.length).toBe(20_000_000);
      expect(await patient.list('')).toEqual(['large/a', 'large/b']);
    });

    test('lists 25 names over pages of 10, in order', async () => {
      const paged = open(given, { pageSize: 10 });
      const names = Array.from({ length: 25 }, (_, index) => `deaths/lane:${index % 3}/${index}`);
      await Promise.all(names.map((name) => paged.put(name, utf8(name))));
      expect(await paged.list('deaths/')).toEqual([...names].sort());
      expect(await paged.list('deaths/lane:1/')).toHaveLength(8);
    });

    test.each([
      ['a wrong secret', { FLYBALL_S3_ACCESS_KEY_ID: 'labaccess', FLYBALL_S3_SECRET_ACCESS_KEY: 'hunter2-hunter2' }],
      ['an unknown user', { FLYBALL_S3_ACCESS_KEY_ID: 'nobody', FLYBALL_S3_SECRET_ACCESS_KEY: 'hunter2-hunter2' }],
    ])('names %s, and keeps it to itself', async (_name, env) => {
      const refused = open(given, FAST, env);
      const attempts = [() => refused.get('a'), () => refused.put('a', utf8('x')), () => refused.list('')];
      for (const attempt of [...attempts, () => refused.create('a', utf8('x')), () => refused.delete('a')]) {
        const error = await failure(attempt());
        expect(error).toMatchObject({ code: 'OBJECTS_UNAVAILABLE', hint: expect.stringMatching(/credentials/) });
        expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/hunter2|Signature=|AWS4-HMAC/);
      }
    });

    test.skipIf(!given.url.includes('endpoint=http:'))(
      'whose answer is lost: a put is repeated, a create says that nobody knows',
      async () => {
        const url = new URL(given.url);
        const endpoint = new URL(url.searchParams.get('endpoint')!);
        const relay = await FaultProxy.start(Number(endpoint.port));
        url.searchParams.set('endpoint', `http://127.0.0.1:${relay.port}`);
        const lossy = open({ ...given, url: url.href }, FAST);
        relay.lossesLeft = 1;
        await lossy.put('a', utf8('x'));
        expect(await lossy.get('a')).toEqual(utf8('x'));
        relay.lossesLeft = 1;
        // A client that tried again would meet its own value, and take it for somebody else's.
        expect(await failure(lossy.create('claim', utf8('mine')))).toMatchObject({ code: 'OBJECTS_UNAVAILABLE' });
        expect(await lossy.get('claim')).toEqual(utf8('mine'));
        expect(relay.lossesLeft).toBe(0);
        await relay.stop();
      },
    );

    test('reads the secret from a file', async () => {
      const file = join(dir, 'secret');
      const id = given.env?.['AWS_ACCESS_KEY_ID'] ?? process.env['AWS_ACCESS_KEY_ID']!;
      writeFileSync(file, `${given.env?.['AWS_SECRET_ACCESS_KEY'] ?? process.env['AWS_SECRET_ACCESS_KEY']}\n`);
      const env = { FLYBALL_S3_ACCESS_KEY_ID: id, FLYBALL_S3_SECRET_ACCESS_KEY_FILE: file };
      await open(given, FAST, env).put('a', utf8('x'));
    });

    test('says that the bucket is missing, and never that a value is', async () => {
      const url = new URL(given.url);
      url.hostname = 'no-such-bucket';
      const nowhere = openS3Objects(url.href, { ...process.env, ...given.env }, FAST);
      for (const attempt of [() => nowhere.get('a'), () => nowhere.list(''), () => nowhere.create('a', utf8('x'))]) {
        expect(await failure(attempt())).toMatchObject({
          code: 'OBJECTS_UNAVAILABLE',
          hint: expect.stringMatching(/Create the bucket/),
          detail: { code: 'NoSuchBucket', bucket: 'no-such-bucket' },
        });
      }
    });

    test.each([
      'http://bucket/x',
      's3://',
      's3://user:pw@bucket',
      's3://b/a b',
      's3://b?endpoint=ftp://x',
      's3://b?x=1',
    ])('refuses the URL %s', (url) => {
      expect(() => openS3Objects(url, {})).toThrow(expect.objectContaining({ kind: 'rejected' }));
    });

    test('needs both halves of a credential', () => {
      const half = { FLYBALL_S3_ACCESS_KEY_ID: 'x' };
      expect(() => openS3Objects('s3://b', half)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    });
  });

  describe.skipIf(given.faults === undefined)('an S3 server', () => {
    const faults = given.faults!;

    test('is killed and comes back: what it had acknowledged is there, the same store goes on', async () => {
      const objects = open(given, FAST);
      await objects.put('a', utf8('kept'));
      await faults.kill();
      expect(await failure(objects.get('a'))).toMatchObject({
        code: 'OBJECTS_UNAVAILABLE',
        detail: { code: 'ECONNREFUSED', name: 'a' },
      });
      expect(await failure(objects.create('b', utf8('x')))).toMatchObject({ code: 'OBJECTS_UNAVAILABLE' });
      await faults.restart();
      expect(await objects.get('a')).toEqual(utf8('kept'));
      expect(await objects.create('b', utf8('x'))).toBe(true);
    });

    test('is frozen: every call ends by name within its bounds, and works again after', async () => {
      const objects = open(given, FAST);
      await objects.put('a', utf8('kept'));
      await faults.freeze();
      const startMs = performance.now();
      const attempts = [
        objects.get('a'),
        objects.put('b', utf8('x')),
        objects.list(''),
        objects.create('c', utf8('x')),
      ];
      const errors = await Promise.all(attempts.map(failure));
      await faults.thaw();
      for (const error of errors) expect(error).toMatchObject({ code: 'OBJECTS_UNAVAILABLE' });
      expect(performance.now() - startMs).toBeLessThan(8_000);
      expect(await objects.get('a')).toEqual(utf8('kept'));
    });
  });
}
