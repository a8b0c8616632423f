import { type AppError, UnavailableError } from '@flyball/core';
import { fileErrorCode, type Files, type OpenFile } from '@flyball/runtime';
import { describeError } from './logger.ts';

/** Exit code of a process whose disk failed. Source: sysexits.h, EX_IOERR. */
const EXIT_DISK = 74;

/** Says why, and ends the process at once: who starts it again finds on the disk what was acknowledged. */
export function endOnBrokenDisk(error: AppError): never {
  process.stderr.write(`${JSON.stringify({ error: describeError(error) })}\n`);
  process.exit(EXIT_DISK);
}

/**
 * Files that tell when the disk cannot be trusted any more: a sync has failed (what was written before may be gone, and the next
 * sync would not say so), a write has failed for another reason than space, or the file system became read-only.
 *
 * @param onBroken - ends the process; told with `DISK_FAILED` or `DISK_READ_ONLY`. Where it returns, the caller gets the error.
 */
export function watchedFiles(files: Files, onBroken: (error: UnavailableError) => void): Files {
  const watch = async <T>(path: string, work: () => Promise<T>, isSync = false): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const broken = brokenBy(error, path, isSync);
      if (broken !== undefined) onBroken(broken);
      throw error;
    }
  };
  const watched = (file: OpenFile, path: string): OpenFile => ({
    write: (bytes) => watch(path, () => file.write(bytes)),
    truncate: (length) => watch(path, () => file.truncate(length)),
    sync: () => watch(path, () => file.sync(), true),
    close: () => file.close(),
  });
  return {
    open: (path, flags, mode) => watch(path, async () => watched(await files.open(path, flags, mode), path)),
    readFile: (path) => files.readFile(path),
    readdir: (path, options) => files.readdir(path, options),
    mkdir: (path, options) => watch(path, () => files.mkdir(path, options)),
    rename: (from, to) => watch(to, () => files.rename(from, to)),
    link: (from, to) => watch(to, () => files.link(from, to)),
    rm: (path, options) => watch(path, () => files.rm(path, options)),
  };
}

function brokenBy(cause: unknown, path: string, isSync: boolean): UnavailableError | undefined {
  const about = { cause, detail: { path } };
  if (fileErrorCode(cause) === 'EROFS') {
    const hint =
      'Look at the disk: file systems become read-only after an error. Then mount it writable, and start again.';
    return new UnavailableError('DISK_READ_ONLY', 'the file system is read-only', { hint, ...about });
  }
  if (!isSync && fileErrorCode(cause) !== 'EIO') return undefined;
  const hint = 'Look at the disk, and start again: what was acknowledged before is there.';
  return new UnavailableError('DISK_FAILED', 'the disk failed in a way that leaves open what it holds', {
    hint,
    ...about,
  });
}
