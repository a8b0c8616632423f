import { AppError, Prng, textOf, utf8 } from '@flyball/core';
import { watchedFiles } from '@flyball/host';
import { DirectoryObjects } from '@flyball/objects-dir';
import { syncFolder } from '@flyball/runtime';
import { type FileFault, MemoryFiles } from '@flyball/testing';
import { expect, test } from 'vitest';

// Goal: what a directory of objects has acknowledged is there, whole, after any failure of the disk, any death and any power
// cut; nothing is half there, and nothing that was never put. Method: random calls on a file system in memory that fails as the
// dice say; a failed sync ends the process, as in production; a model of what may be there.

const SEEDS = 300;
const CALLS = 60;
const NAMES = ['checkpoints/a/0/1', 'checkpoints/a/0/2', 'checkpoints/b/0/1', 'deaths/x', 'root'];
const FAULTS: readonly FileFault[] = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'short', 'lost'];

class Ended extends Error {}

/** By name: what may be there. The first is the last that was acknowledged; the others were tried since. */
type Model = Map<string, (string | undefined)[]>;

class World {
  readonly dice: Prng;
  readonly model: Model = new Map(NAMES.map((name) => [name, [undefined]]));
  readonly report = { acked: 0, failed: 0, ended: 0 };
  readonly #disk: MemoryFiles;
  #faultRatio = 0;
  objects: DirectoryObjects;

  constructor(seed: number) {
    this.dice = new Prng(seed);
    const draw = () => (this.dice.chance(this.#faultRatio) ? this.dice.pick(FAULTS) : 'none');
    this.#disk = new MemoryFiles(draw, (below) => this.dice.below(below));
    this.objects = this.#open();
  }

  #open(): DirectoryObjects {
    const onBroken = () => {
      throw new Ended();
    };
    return new DirectoryObjects('/data', watchedFiles(this.#disk, onBroken));
  }

  async start(): Promise<void> {
    await makeData(this.#disk);
    this.#faultRatio = this.dice.pick([0, 0.01, 0.05, 0.2]);
  }

  async call(item: number): Promise<void> {
    const name = this.dice.pick(NAMES);
    const text = `${item} ${'x'.repeat(this.dice.below(50))}`;
    const kind = this.dice.pick(['put', 'put', 'create', 'delete', 'get', 'list'] as const);
    const may = this.model.get(name)!;
    try {
      if (kind === 'put') await this.#change(name, text, () => this.objects.put(name, utf8(text)));
      if (kind === 'delete') await this.objects.delete(name).finally(() => may.push(undefined));
      if (kind === 'create') await this.#create(name, text);
      if (kind === 'get') expect(may).toContain(await this.#get(name));
      if (kind === 'list') for (const each of await this.objects.list('')) expect(NAMES).toContain(each);
    } catch (error) {
      if (error instanceof AppError) expect(error.code).toBe('OBJECTS_UNAVAILABLE');
      else throw error;
      this.report.failed += 1;
      if (error.cause instanceof Ended) this.restart(true);
      else if (this.dice.chance(0.1)) this.restart(this.dice.chance(0.5));
    }
  }

  async #change(name: string, text: string, work: () => Promise<unknown>): Promise<void> {
    this.model.get(name)!.push(text);
    await work();
    this.model.set(name, [text]);
    this.report.acked += 1;
  }

  async #create(name: string, text: string): Promise<void> {
    const before = this.model.get(name)!;
    before.push(text);
    if (await this.objects.create(name, utf8(text))) {
      expect(before, 'created beside a value').toContain(undefined);
      this.model.set(name, [text]);
    } else {
      // What is there now was put by somebody: never this one.
      before.pop();
      expect(before.some((each) => each !== undefined)).toBe(true);
    }
  }

  async #get(name: string): Promise<string | undefined> {
    const bytes = await this.objects.get(name);
    return bytes && textOf(bytes);
  }

  restart(isPowerCut: boolean): void {
    if (isPowerCut) this.#disk.powerCut();
    this.report.ended += 1;
    this.objects = this.#open();
  }

  async check(): Promise<void> {
    this.#faultRatio = 0;
    for (const [name, may] of this.model) expect(may, name).toContain(await this.#get(name));
    for (const name of NAMES) await this.objects.put(name, utf8('after'));
    expect(await this.objects.list('')).toEqual([...NAMES].sort());
  }
}

/** The folder that an operator names is there, also after a power cut. */
async function makeData(disk: MemoryFiles): Promise<void> {
  await disk.mkdir('/data', { recursive: true });
  await syncFolder(disk, '/');
}

test(`what was put is there, whole, whatever the disk does (${SEEDS} seeds)`, async () => {
  const total = { acked: 0, failed: 0, ended: 0 };
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const world = new World(seed);
    try {
      await world.start();
      for (let item = 0; item < CALLS; item += 1) await world.call(item);
      world.restart(true);
      await world.check();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    for (const key of ['acked', 'failed', 'ended'] as const) total[key] += world.report[key];
  }
  expect(total.acked).toBeGreaterThan(SEEDS * 5);
  expect(total.failed).toBeGreaterThan(SEEDS);
});

test('two that need the same new folder at once: neither is told before the folder is durable', async () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const dice = new Prng(seed);
    const disk = new MemoryFiles(
      () => 'none',
      (below) => dice.below(below),
    );
    await makeData(disk);
    const objects = new DirectoryObjects('/data', disk);
    await objects.put('root', utf8('x'));
    const acked: string[] = [];
    const put = (name: string) => objects.put(name, utf8(name)).then(() => acked.push(name));
    await Promise.race([put('d/e/1'), put('d/e/2')]);
    const told = [...acked];
    disk.powerCut();
    for (const name of told) expect(await objects.get(name), `seed ${seed}`).toEqual(utf8(name));
  }
});
