import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { RESERVED_RATIO } from './protocol.ts';

/** Size of the reserve file: more than twice what the WAL may take. */
const RESERVE_BYTES = 16 * 1024 * 1024;
/** A small budget needs a small reserve. */
const RESERVE_RATIO = 0.25;
/** Free space, beyond the reserve, from which on appends are taken again. */
const RESUME_BYTES = 4 * 1024 * 1024;

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
