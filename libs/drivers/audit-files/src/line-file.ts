import { concatBytes, textOf, utf8 } from '@flyball/core';
import { fileErrorCode, type Files, syncFolder, writeAll } from '@flyball/runtime';

const NEWLINE = 10;

/** A file of lines that only grows. What was torn, by a full disk or a death, is cut off before anything is added. */
export class LineFile {
  readonly #files: Files;
  readonly #path: string;
  /** Bytes of lines that were acknowledged, or were there at the start. */
  #length: number;
  #isTorn: boolean;

  private constructor(files: Files, path: string, length: number, isTorn: boolean) {
    this.#files = files;
    this.#path = path;
    this.#length = length;
    this.#isTorn = isTorn;
  }

  /**
   * Opens the file `name` of a folder that exists, creates it where there is none, and reads its lines. An end without a newline
   * was never acknowledged: it does not count.
   */
  static async open(files: Files, folder: string, name: string): Promise<{ file: LineFile; lines: readonly string[] }> {
    const path = `${folder}/${name}`;
    const bytes = await files.readFile(path).catch(async (error: unknown) => {
      if (fileErrorCode(error) !== 'ENOENT') throw error;
      await files.open(path, 'a').then((opened) => opened.close());
      return new Uint8Array(0);
    });
    await syncFolder(files, folder);
    const length = bytes.lastIndexOf(NEWLINE) + 1;
    const text = textOf(bytes.subarray(0, length));
    return {
      file: new LineFile(files, path, length, length < bytes.length),
      lines: text === '' ? [] : text.slice(0, -1).split('\n'),
    };
  }

  /** Adds lines. They are durable on return; after an error none of them counts, and they can be added again. */
  async append(lines: readonly string[]): Promise<void> {
    if (this.#isTorn) await this.#cut();
    const bytes = concatBytes(lines.map((line) => utf8(`${line}\n`)));
    this.#isTorn = true;
    await this.#within('a', async (file) => {
      await writeAll(file, bytes);
      await file.sync();
    });
    this.#isTorn = false;
    this.#length += bytes.length;
  }

  async #cut(): Promise<void> {
    await this.#within('r+', async (file) => {
      await file.truncate(this.#length);
      await file.sync();
    });
    this.#isTorn = false;
  }

  async #within(flags: 'a' | 'r+', work: (file: Awaited<ReturnType<Files['open']>>) => Promise<void>): Promise<void> {
    const file = await this.#files.open(this.#path, flags);
    try {
      await work(file);
    } finally {
      await file.close();
    }
  }
}
