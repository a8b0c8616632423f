import { UnavailableError } from '@flyball/core';
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { RESERVED_RATIO } from './protocol.ts';

/** Size of the reserve file: more than twice what the WAL may take. */
const RESERVE_BYTES = 16 * 1024 * 1024;
/** A small budget needs a small reserve. */
const RESERVE_RATIO = 0.25;
/** Free space, beyond the reserve, from which on appends are taken again. */
const RESUME_BYTES = 4 * 1024 * 1024;
/** Out of space, or out of this user's share of it. */
const NO_SPACE: readonly number[] = [constants.errno.ENOSPC, constants.errno.EDQUOT];

/**
 * Watches the budget and the disk. The budget comes first: raw telemetry is refused while control, commands
 * and outcomes still have their share. When the disk is full all the same, the reserve file goes, so that
 * SQLite can trim; appends are refused until the space is back.
 */
export class Disk {
  readonly #reservePath: string;
  readonly #reserveBytes: number;
  readonly #dir: string;
  readonly #budgetBytes: number;
  #isFull = false;

  constructor(dir: string, budgetBytes: number) {
    this.#dir = dir;
    this.#budgetBytes = budgetBytes;
    this.#reservePath = `${dir}/reserve`;
    this.#reserveBytes = Math.min(RESERVE_BYTES, Math.floor(budgetBytes * RESERVE_RATIO));
    if (!this.#makeReserve()) this.#isFull = true;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** Whether `bytes` more may be appended, given what is in use. */
  admits(bytes: number, usedBytes: number, isReserved: boolean): boolean {
    if (this.#isFull && !this.#tryResume()) return false;
    return usedBytes + bytes <= this.#budgetBytes * (isReserved ? 1 : 1 - RESERVED_RATIO);
  }

  /** The disk refused a write: gives the reserve up. */
  markFull(): void {
    this.#isFull = true;
    rmSync(this.#reservePath, { force: true });
  }

  #tryResume(): boolean {
    const { bavail, bsize } = statfsSync(this.#dir);
    if (bavail * bsize < this.#reserveBytes + RESUME_BYTES || !this.#makeReserve()) return false;
    this.#isFull = false;
    return true;
  }

  #makeReserve(): boolean {
    try {
      writeFileSync(this.#reservePath, new Uint8Array(this.#reserveBytes));
      return true;
    } catch {
      rmSync(this.#reservePath, { force: true });
      return false;
    }
  }
}

/** What is wrong with a disk, found out by writing to it: SQLite does not tell one failed write from another. */
export function diagnose(dir: string): 'full' | UnavailableError {
  const errno = writeProbe(dir);
  if (NO_SPACE.includes(errno)) return 'full';
  return errno === constants.errno.EROFS ? readOnlyDisk(dir) : failedDisk(dir);
}

/** Nobody knows what the disk holds, or soon will. */
export function failedDisk(dir: string): UnavailableError {
  const hint = 'Look at the disk, and start again: what was acknowledged before is there.';
  return new UnavailableError('DISK_FAILED', 'the disk failed in a way that leaves open what it holds', {
    hint,
    detail: { dir },
  });
}

function readOnlyDisk(dir: string): UnavailableError {
  const hint =
    'Look at the disk: file systems become read-only after an error. Then mount it writable, and start again.';
  return new UnavailableError('DISK_READ_ONLY', 'the file system is read-only', { hint, detail: { dir } });
}

/** Writes a small file, durably, and removes it. Returns the number of the error, or 0: Node has no name for EDQUOT. */
function writeProbe(dir: string): number {
  const path = `${dir}/probe`;
  try {
    mkdirSync(dir, { recursive: true });
    const file = openSync(path, 'w');
    try {
      writeSync(file, new Uint8Array(4_096));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    rmSync(path);
    return 0;
  } catch (error) {
    return Math.abs((error as NodeJS.ErrnoException).errno ?? 0);
  }
}
