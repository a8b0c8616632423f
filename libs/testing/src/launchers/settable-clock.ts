import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const LIBRARY = 'faketime/libfaketimeMT.so.1';

/** The library that lies to a process about the time, or `undefined` where it is not installed. */
function library(): string | undefined {
  const folders = ['/usr/lib', '/usr/local/lib'].filter((folder) => existsSync(folder));
  const below = folders.flatMap((folder) => [folder, ...readdirSync(folder).map((name) => join(folder, name))]);
  return below.map((folder) => join(folder, LIBRARY)).find((path) => existsSync(path));
}

/** The wall clock of a process, to be set while it runs. Monotonic time goes on as it is, as with a clock that somebody sets. */
export class SettableClock {
  readonly #file: string;

  /** @param file - holds by how much the clock is off; its folder is created. */
  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    this.set(0);
  }

  /** What is missing to set clocks, and how to get it. */
  static missing(): string | undefined {
    return library() === undefined ? 'no libfaketime: apt-get install -y faketime' : undefined;
  }

  /** What the process must find in its environment. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: library()!,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      // A JVM asks for the time so often that it would hardly start if each time the file were read.
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // Else timed waits on the monotonic clock, as a JVM makes them, end at once.
      FAKETIME_FORCE_MONOTONIC_FIX: '0',
    };
  }

  /** Puts it ahead of the true time by so much, ms; behind it when negative. It is so within two seconds. */
  set(aheadMs: number): void {
    const temporary = `${this.#file}.new`;
    writeFileSync(temporary, `${aheadMs < 0 ? '-' : '+'}${Math.abs(aheadMs) / 1_000}`);
    renameSync(temporary, this.#file);
  }
}
