import { type AuditEntry, verifyChain } from '@flyball/contracts';
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { signedText } from './layout.ts';

/** What a check of one tenant's files found. */
export interface AuditReport {
  readonly tenant: string;
  readonly ok: boolean;
  readonly entries: number;
  readonly headSeq: number;
  readonly headHash: string;
  /** Up to which entry a signature vouches. */
  readonly signedSeq: number;
  /** What is wrong first, with its place; '' when nothing is. */
  readonly problem: string;
}

interface SignedHead {
  readonly seq: number;
  readonly hash: string;
  readonly signature: string;
}

/**
 * Checks the audit of a data directory from its files alone: every link, and every signed head. Needs no server.
 *
 * @param publicKeyPem - a key that was kept elsewhere; without it the one in the directory is believed.
 */
export function verifyAudit(dir: string, publicKeyPem?: string): readonly AuditReport[] {
  const auditDir = join(dir, 'audit');
  if (!existsSync(join(auditDir, 'key.pub.pem')) && publicKeyPem === undefined) return [];
  const key = createPublicKey(publicKeyPem ?? readFileSync(join(auditDir, 'key.pub.pem')));
  const folders = readdirSync(auditDir).filter((name) => name.startsWith('tenant-'));
  return folders
    .sort()
    .map((folder) => verifyTenant(join(auditDir, folder), decodeURIComponent(folder.slice('tenant-'.length)), key));
}

function verifyTenant(dir: string, tenant: string, key: KeyObject): AuditReport {
  // Heads first: entries are written before the head that is signed over them, also while this is being read.
  const heads = linesOf<SignedHead>(join(dir, 'heads.ndjson'));
  const entries = linesOf<AuditEntry>(join(dir, 'entries.ndjson'));
  const about = (problem: string, head = { seq: 0, hash: '' }, signedSeq = 0): AuditReport => {
    const ok = problem === '';
    return { tenant, ok, entries: entries?.length ?? 0, headSeq: head.seq, headHash: head.hash, signedSeq, problem };
  };
  if (entries === undefined) return about('entries.ndjson has a line that is no JSON');
  if (heads === undefined) return about('heads.ndjson has a line that is no JSON');
  const { head, firstBad } = verifyChain(entries);
  if (firstBad !== null) return about(`entry ${firstBad.seq} ${firstBad.reason}`, head);
  const stranger = entries.find((entry) => entry.tenant !== tenant);
  if (stranger !== undefined) return about(`entry ${stranger.seq} is of another tenant`, head);
  for (const signed of heads) {
    const isSigned = verify(
      null,
      Buffer.from(signedText(tenant, signed)),
      key,
      Buffer.from(signed.signature, 'base64'),
    );
    if (!isSigned) return about(`the signature of head ${signed.seq} is not by this key`, head);
    if (signed.seq > head.seq)
      return about(`the chain ends at ${head.seq}, but head ${signed.seq} was signed: it was cut short`, head);
    if (entries[signed.seq - 1]?.hash !== signed.hash)
      return about(`head ${signed.seq} was signed with another hash: the chain was rewritten`, head);
  }
  const signedSeq = heads.at(-1)?.seq ?? 0;
  return about(entries.length > 0 && signedSeq === 0 ? 'no head is signed' : '', head, signedSeq);
}

/** Lines of a file. An end without a newline was never acknowledged, or is being written: it does not count, see `LineFile`. */
function linesOf<T>(path: string): T[] | undefined {
  if (!existsSync(path)) return [];
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as T);
  } catch {
    return undefined;
  }
}
