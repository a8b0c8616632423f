import { UnavailableError, utf8 } from '@flyball/core';
import { fileErrorCode, type Files, storeWhole } from '@flyball/runtime';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';

/**
 * The key that signs, made at the first start; the public one beside it.
 *
 * @throws {UnavailableError} `AUDIT_KEY_UNREADABLE` when what is there is no key: another one would sign what this one did not.
 */
export async function loadSigningKey(files: Files, folder: string): Promise<KeyObject> {
  const path = `${folder}/key.pem`;
  const found = await unlessMissing(files.readFile(path));
  const key = found === undefined ? generateKeyPairSync('ed25519').privateKey : parse(found, path);
  const place = (from: string, to: string) => files.rename(from, to);
  const store = async (name: string, pem: string | Buffer, mode: number) => {
    const temporary = `${folder}/.tmp-${randomUUID()}`;
    await storeWhole(files, { folder, path: `${folder}/${name}`, temporary, bytes: utf8(pem.toString()), mode }, place);
  };
  // The public key follows from the private one: it is made again where a death came between them.
  if (found === undefined) await store('key.pem', key.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  if ((await unlessMissing(files.readFile(`${folder}/key.pub.pem`))) === undefined) {
    await store('key.pub.pem', createPublicKey(key).export({ type: 'spki', format: 'pem' }), 0o644);
  }
  return key;
}

function parse(bytes: Uint8Array, path: string): KeyObject {
  try {
    return createPrivateKey(Buffer.from(bytes));
  } catch (cause) {
    const hint = 'Restore key.pem from the backup; or move the folder audit/ away: it is written anew, with a new key.';
    throw new UnavailableError('AUDIT_KEY_UNREADABLE', 'the key that signs the audit cannot be read', {
      hint,
      cause,
      detail: { path },
    });
  }
}

async function unlessMissing(reading: Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
