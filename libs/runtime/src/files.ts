/**
 * A file system, as far as our writers need one. Port: `node:fs/promises` is one, and so is what `libs/host` wraps around it
 * to end the process when the disk cannot be trusted any more. Errors are Node's: an `Error` with a `code` such as `ENOSPC`.
 */
export interface Files {
  /** Flags: `r` to read, `r+` to change what is there, `a` to add to it, `wx` for a new file. */
  open(path: string, flags: 'r' | 'r+' | 'a' | 'wx', mode?: number): Promise<OpenFile>;
  readFile(path: string): Promise<Uint8Array>;
  /** The first folder that it had to make. */
  mkdir(path: string, options: { recursive: true }): Promise<string | undefined>;
  readdir(path: string, options: { withFileTypes: true }): Promise<readonly FolderEntry[]>;
  rename(from: string, to: string): Promise<void>;
  link(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
}

/** An open file, or a folder that was opened to be made durable. */
export interface OpenFile {
  /** Writes some of the bytes, at least one, and says how many. */
  write(bytes: Uint8Array): Promise<{ readonly bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  /** After a failure nobody knows what the disk holds: see `DISK_FAILED`. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What a folder holds. */
export interface FolderEntry {
  readonly name: string;
  isFile(): boolean;
  isDirectory(): boolean;
}

/** Code of an error of {@link Files}, such as `ENOENT`; '' when it has none. */
export function fileErrorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Writes all bytes: one call may write only a part of them. */
export async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes.subarray(done))).bytesWritten;
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(files: Files, folder: string): Promise<void> {
  const opened = await files.open(folder, 'r');
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

/** A file that is to be stored whole. */
export interface WholeFile {
  readonly folder: string;
  readonly path: string;
  /** Where it is written first: in the same folder, and nobody else's. */
  readonly temporary: string;
  readonly bytes: Uint8Array;
  /** Default: as the process makes files. */
  readonly mode?: number;
}

/**
 * Writes a file beside its place, durably, then has `place` bring it there: a reader sees all of it or nothing. What failed
 * leaves at most its temporary file.
 */
export async function storeWhole<T>(
  files: Files,
  { folder, path, temporary, bytes, mode }: WholeFile,
  place: (from: string, to: string) => Promise<T>,
): Promise<T> {
  try {
    const file = await files.open(temporary, 'wx', mode);
    try {
      await writeAll(file, bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    const placed = await place(temporary, path);
    await syncFolder(files, folder);
    return placed;
  } catch (error) {
    await files.rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}
