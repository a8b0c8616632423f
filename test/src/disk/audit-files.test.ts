import { AuditFiles } from '@flyball/audit-files';
import { auditCodec, type AuditEntry, type ChainHead, EMPTY_CHAIN, link, verifyChain } from '@flyball/contracts';
import { Prng, textOf } from '@flyball/core';
import { watchedFiles } from '@flyball/host';
import { MemoryLog } from '@flyball/memory';
import { fresh, Marks, syncFolder } from '@flyball/runtime';
import { type FileFault, MemoryFiles, recordsOf } from '@flyball/testing';
import { expect, test, vi } from 'vitest';

// Goal: whatever the disk does, the audit files hold what the log holds, once, in order, each signature over an entry that is
// there; and while they cannot be written, that is said. Method: random appends to the log, faults, deaths and power cuts, on a
// file system in memory; a failed sync ends the process, as in production.

const SEEDS = 60;
const ROUNDS = 12;
const FAULTS: readonly FileFault[] = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'short', 'lost'];
const FOLDER = '/data/audit/tenant-default';
const AT = { topic: 'flyball.audit', partition: 0 };

class Ended extends Error {}

class World {
  readonly report = { ended: 0, failures: 0 };
  readonly log = new MemoryLog(() => 1);
  readonly disk: MemoryFiles;
  readonly #dice: Prng;
  #faultRatio = 0;
  #head: ChainHead = EMPTY_CHAIN;
  #isEnded = false;
  #audit: AuditFiles | undefined;

  constructor(seed: number) {
    this.#dice = new Prng(seed);
    const draw = () => (this.#dice.chance(this.#faultRatio) ? this.#dice.pick(FAULTS) : 'none');
    this.disk = new MemoryFiles(draw, (below) => this.#dice.below(below));
  }

  async open(): Promise<void> {
    await this.log.create(AT.topic, 1);
    await this.disk.mkdir('/data', { recursive: true });
    await syncFolder(this.disk, '/');
  }

  /** Something is said; then all is quiet until it is written, or cannot be. */
  async round(faultRatio: number): Promise<void> {
    this.#faultRatio = faultRatio;
    for (let count = this.#dice.below(4); count > 0; count -= 1) await this.#say();
    await this.#live();
    await vi.advanceTimersByTimeAsync(this.#dice.below(3_000));
    if (this.#audit?.failure !== undefined) this.report.failures += 1;
    if (this.#isEnded || this.#dice.chance(0.2)) await this.#die();
  }

  async #say(): Promise<void> {
    const wordId = `w${this.#head.seq}`;
    const fact = { type: 'pause' as const, wordId, actor: 'cli', tenant: 'default', reason: '' };
    const entry = link(this.#head, { type: 'trail', tenant: 'default', from: 'flyball.control/0', atMs: 1, fact });
    this.#head = { seq: entry.seq, hash: entry.hash };
    await this.log.append(AT, [{ key: 'default', headers: {}, value: auditCodec.encode(entry) }]);
  }

  async #live(): Promise<void> {
    if (this.#audit !== undefined) return;
    this.#isEnded = false;
    const onBroken = () => {
      this.#isEnded = true;
      throw new Ended();
    };
    // Nothing that a process does after its end reaches the disk.
    const disk = new Proxy(this.disk, {
      get: (of, name) => {
        const method: unknown = Reflect.get(of, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]): unknown => {
          if (this.#isEnded) return Promise.reject(new Ended());
          return method.apply(of, args);
        };
      },
    });
    const audit = new AuditFiles(this.log, '/data', watchedFiles(disk, onBroken));
    await audit.start().then(
      () => (this.#audit = audit),
      () => undefined,
    );
  }

  async #die(): Promise<void> {
    this.report.ended += 1;
    const isPowerCut = this.#isEnded || this.#dice.chance(0.5);
    this.#isEnded = true;
    const stopping = this.#audit?.stop();
    await vi.advanceTimersByTimeAsync(1_000);
    await stopping;
    if (isPowerCut) this.disk.powerCut();
    this.#audit = undefined;
    this.#isEnded = false;
  }

  /** Without faults all of it is there. */
  async check(): Promise<void> {
    this.#faultRatio = 0;
    await this.#die();
    await this.#say();
    await this.#live();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(this.#audit?.failure).toBeUndefined();
    const inLog = fresh(await recordsOf(this.log, AT), new Marks()).map((record) => auditCodec.decode(record));
    const entries = await this.#lines<AuditEntry>('entries.ndjson');
    expect(entries).toEqual(inLog);
    expect(verifyChain(entries).firstBad).toBeNull();
    const heads = await this.#lines<ChainHead>('heads.ndjson');
    expect(heads.at(-1)?.seq).toBe(entries.length);
    for (const { seq, hash } of heads) expect(entries[seq - 1]?.hash).toBe(hash);
    await this.#die();
  }

  async #lines<T>(name: string): Promise<T[]> {
    const text = textOf(await this.disk.readFile(`${FOLDER}/${name}`));
    return text
      .slice(0, -1)
      .split('\n')
      .map((line) => JSON.parse(line) as T);
  }
}

test(`the audit files hold what the log holds, whatever the disk does (${SEEDS} seeds)`, async () => {
  vi.useFakeTimers();
  const total = { ended: 0, failures: 0 };
  try {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const world = new World(seed);
      try {
        await world.open();
        for (let round = 0; round < ROUNDS; round += 1) await world.round([0, 0.02, 0.1, 0.5][seed % 4]!);
        await world.check();
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
      for (const key of ['ended', 'failures'] as const) total[key] += world.report[key];
    }
  } finally {
    vi.useRealTimers();
  }
  expect(total.ended).toBeGreaterThan(SEEDS);
  expect(total.failures).toBeGreaterThan(SEEDS / 4);
});
