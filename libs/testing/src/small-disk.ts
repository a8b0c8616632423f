import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { MissingPart } from './launchers/real-part.ts';

const CHUNK_BYTES = 64 * 1024;

/** A folder that is a disk of its own, small enough to fill. */
export class SmallDisk {
  readonly dir: string;
  readonly #ballast: string;

  private constructor(dir: string) {
    this.dir = dir;
    this.#ballast = join(dir, 'ballast');
  }

  /** Why there can be none here, and how to get one; `undefined` where there can. */
  static missing(): string | undefined {
    const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
    return isRoot
      ? undefined
      : 'needs the right to mount a tmpfs: run as root on Linux, in a container with CAP_SYS_ADMIN';
  }

  /** Mounts it over a folder. What the folder held is out of sight until it is unmounted. */
  static mount(dir: string, bytes: number): SmallDisk | MissingPart {
    const missing = SmallDisk.missing();
    if (missing !== undefined) return { missing };
    mkdirSync(dir, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir], { stdio: 'pipe' });
    } catch (error) {
      return { missing: `needs the right to mount a tmpfs: ${String((error as { stderr?: Buffer }).stderr).trim()}` };
    }
    return new SmallDisk(dir);
  }

  /** Leaves so many bytes free, of a page at least. */
  fill(freeBytes = 0): void {
    const file = openSync(this.#ballast, 'a');
    try {
      for (let left = this.#freeBytes() - freeBytes; left > 0; left = this.#freeBytes() - freeBytes) {
        writeSync(file, new Uint8Array(Math.min(left, CHUNK_BYTES)));
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Takes the ballast away. */
  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  /** Whoever still holds files of it open keeps them until he closes them. */
  unmount(): void {
    execFileSync('umount', ['--lazy', this.dir]);
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.dir);
    return bavail * bsize;
  }
}
