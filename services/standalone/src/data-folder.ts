import { UnavailableError, textOf, utf8 } from '@flyball/core';
import { fileErrorCode, type Files, storeWhole, syncFolder } from '@flyball/runtime';
import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';

/** Makes the data directory where there is none, durably. @throws {UnavailableError} `DATA_UNWRITABLE` */
export async function makeDataFolder(files: Files, dir: string): Promise<void> {
  await guard(dir, async () => {
    const made = await files.mkdir(dir, { recursive: true });
    if (made !== undefined) await syncFolder(files, dirname(resolve(made)));
  });
}

/** The API's token: given, or kept in `DIR/token`, readable by the owner alone. @throws {UnavailableError} `DATA_UNWRITABLE` */
export async function loadToken(files: Files, dir: string, given: string): Promise<string> {
  const kept = given === '' ? await readKept(files, join(dir, 'token')) : '';
  if (kept !== '') return kept;
  const token = given === '' ? randomBytes(24).toString('base64url') : given;
  await storeInData(files, join(dir, 'token'), `${token}\n`, 0o600);
  return token;
}

/** Stores a small file of the data directory, whole or not at all. @throws {UnavailableError} `DATA_UNWRITABLE` */
export async function storeInData(files: Files, path: string, text: string, mode?: number): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.new`;
  const folder = dirname(path);
  const file = { folder, path, temporary, bytes: utf8(text), ...(mode !== undefined && { mode }) };
  await guard(folder, () => storeWhole(files, file, (from, to) => files.rename(from, to)));
}

/** What a file says; '' where there is none. An empty one says nothing: an empty token would be anybody's. */
async function readKept(files: Files, path: string): Promise<string> {
  try {
    return textOf(await files.readFile(path)).trim();
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return '';
    throw error;
  }
}

async function guard(dir: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const hint = 'Free space there, or let this user write; then start again.';
    throw new UnavailableError('DATA_UNWRITABLE', 'the data directory cannot be written', {
      hint,
      cause,
      detail: { dir, code: fileErrorCode(cause) },
    });
  }
}
