import { openS3Objects } from '@flyball/objects-s3';
import { Prng, utf8 } from '@flyball/core';
import { type HttpFault, HttpFaults, partForTest, type RealPart, s3Ways } from '@flyball/testing';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { expectSafe, expectWhole } from '../archiver/archive-checks.ts';
import { ArchiveWorld, places, SMALL, WRITTEN } from '../archiver/archive-world.ts';

// Goal: however a real S3 server answers, no value is taken for another, nothing leaves the log that is not archived and read
// back, and in the end all of it is there, once. Method: faults of HTTP before the server: refused, done and not answered,
// forbidden, cut, with another byte, late; archivers that die meanwhile; the truth kept beside.

const FAULTS: readonly HttpFault[] = ['refused', 'unanswered', 'forbidden', 'cut', 'flipped', 'garbled'];
const SEEDS = [1, 2];
const FAST = { attemptsMax: 2, requestTimeoutMs: 5_000 };
const dir = mkdtempSync(join(tmpdir(), 'flyball-s3-errors-'));
const s3 = await partForTest(s3Ways(dir));
if ('missing' in s3) test.skip(s3.missing, () => undefined);
else if (!s3.url.includes('endpoint=http:')) test.skip('needs an S3 server over plain HTTP', () => undefined);
else suite(s3);
afterAll(async () => {
  if (!('missing' in s3)) await s3.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A prefix of its own, as it is and behind faults. */
async function open({ url, env }: RealPart) {
  const own = new URL(url);
  own.pathname += `/${randomUUID()}`;
  const faults = await HttpFaults.start(own.searchParams.get('endpoint')!);
  const clean = openS3Objects(own.href, { ...process.env, ...env });
  own.searchParams.set('endpoint', faults.url);
  return { faults, clean, faulty: openS3Objects(own.href, { ...process.env, ...env }, FAST) };
}

function suite(part: RealPart): void {
  describe('a store that fails', () => {
    test.each(FAULTS)('%s: says so by name, and hands out no other value', async (fault) => {
      const { faults, clean, faulty } = await open(part);
      await clean.put('a', utf8('kept'));
      faults.draw = () => fault;
      for (const attempt of [
        () => faulty.get('a'),
        () => faulty.put('b', utf8('x')),
        () => faulty.create('c', utf8('x')),
      ]) {
        const said = await attempt().then(
          (value) => value ?? 'done',
          (error: unknown) => (error as { code: string }).code,
        );
        // A get has no body that could be garbled, a put no answer whose body counts.
        if (said instanceof Uint8Array) expect(said).toEqual(utf8('kept'));
        else if (said !== true && said !== 'done') expect(said).toBe('OBJECTS_UNAVAILABLE');
      }
      faults.draw = () => 'none';
      for (const name of ['b', 'c']) expect([undefined, utf8('x')]).toContainEqual(await clean.get(name));
      expect(await clean.get('a')).toEqual(utf8('kept'));
      await faults.stop();
    });
  });

  test.each(SEEDS)(
    'archivers on it lose, double and change nothing (seed %i)',
    async (seed) => {
      const { faults, clean, faulty } = await open(part);
      const dice = new Prng(seed);
      const world = new ArchiveWorld(seed, SMALL, clean, faulty);
      await world.open();
      for (let step = 0; step < 90; step += 1) {
        // Now and then it is away altogether.
        const ratio = step % 30 < 5 ? 1 : 0.05;
        faults.draw = () => (dice.chance(ratio) ? dice.pick(FAULTS) : 'none');
        for (let more = 0; more < 4; more += 1) await world.grow();
        await world.checkpoint();
        await world.work(0.3);
        if (step % 30 === 29) await expectSafe(world);
      }
      faults.draw = () => 'none';
      await world.settle();
      await expectWhole(world);
      await world.tidy();
      await expectSafe(world);
      await expectWhole(world);
      let trimmed = 0;
      for (const topic of WRITTEN) for (const at of places(topic)) trimmed += (await world.log.range(at)).startOffset;
      expect(trimmed).toBeGreaterThan(20);
      for (const fault of FAULTS) expect(faults.met.get(fault), fault).toBeGreaterThan(0);
      await faults.stop();
    },
    240_000,
  );
}
