import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasCommand } from './launchers/native-process.ts';
import type { MissingPart } from './launchers/real-part.ts';

const SOURCE = fileURLToPath(new URL('../native/failing-disk.c', import.meta.url));
const COMPILER = 'cc';
const COMPILE = ['-shared', '-fPIC', '-O1', '-o'];

/** How a disk fails. What is not named works. */
export interface DiskFaults {
  /** Every write fails with this, after so many that do not. */
  readonly writes?: { readonly code: 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EROFS'; readonly after: number };
  /** One sync fails with this, after so many that do not. Those that follow say nothing of it, as on Linux. */
  readonly syncs?: { readonly code: 'EIO' | 'ENOSPC'; readonly after: number };
  /** Share of writes that write a part only, and say so; 0 to 1. */
  readonly shortRatio?: number;
}

/** A folder on a failing disk, for one process: between it and its C library. Also SQLite meets it. Linux only. */
export class FailingDisk {
  /** What the process must find in its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly #plan: string;

  private constructor(library: string, plan: string, folder: string) {
    this.#plan = plan;
    this.env = { LD_PRELOAD: library, FAILING_DISK_PLAN: plan, FAILING_DISK_FOLDER: `${folder}/` };
    this.fail({});
  }

  /**
   * Compiles what it takes, in some tenths of a second.
   *
   * @param scratch - folder for it. @param folder - what is on the failing disk.
   */
  static make(scratch: string, folder: string): FailingDisk | MissingPart {
    const missing = 'a failing disk needs Linux and a C compiler: apt-get install gcc libc6-dev';
    if (process.platform !== 'linux' || !hasCommand(COMPILER)) return { missing };
    const library = join(scratch, 'failing-disk.so');
    const { status, stderr } = spawnSync(COMPILER, [...COMPILE, library, SOURCE, '-ldl'], { encoding: 'utf8' });
    if (status !== 0) return { missing: `${missing} (it failed: ${stderr.slice(-300)})` };
    const plan = join(scratch, 'plan');
    writeFileSync(plan, new Uint8Array(24));
    return new FailingDisk(library, plan, folder);
  }

  /** From now on it fails like this. */
  fail({ writes, syncs, shortRatio = 0 }: DiskFaults): void {
    const errnoOf = (code: keyof typeof constants.errno) => constants.errno[code];
    const plan = Int32Array.of(
      ...(writes === undefined ? [0, 0] : [errnoOf(writes.code), writes.after]),
      ...(syncs === undefined ? [0, 0] : [errnoOf(syncs.code), syncs.after]),
      Math.round(shortRatio * 1_000),
    );
    const file = openSync(this.#plan, 'r+');
    writeSync(file, new Uint8Array(plan.buffer), 0, plan.byteLength, 0);
    closeSync(file);
  }
}
