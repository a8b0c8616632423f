import { type AuditEntry, type ChainHead, EMPTY_CHAIN, verifyChain } from '@flyball/contracts';
import { UnavailableError } from '@flyball/core';
import type { Files } from '@flyball/runtime';
import { type KeyObject, sign } from 'node:crypto';
import { signedText, tenantDir } from './layout.ts';
import { LineFile } from './line-file.ts';

/** The chain of one tenant in its two files: entries, and signed heads. */
export class TenantChain {
  readonly #tenant: string;
  readonly #key: KeyObject;
  readonly #entries: LineFile;
  readonly #heads: LineFile;
  #head: ChainHead;
  #signedSeq: number;

  private constructor(of: { tenant: string; key: KeyObject; entries: LineFile; heads: LineFile }, at: Written) {
    this.#tenant = of.tenant;
    this.#key = of.key;
    this.#entries = of.entries;
    this.#heads = of.heads;
    this.#head = at.head;
    this.#signedSeq = at.signedSeq;
  }

  /** Opens the files of a tenant, and checks that what is in them holds. @throws {UnavailableError} `AUDIT_CORRUPT` */
  static async open(files: Files, auditDir: string, tenant: string, key: KeyObject): Promise<TenantChain> {
    const dir = tenantDir(auditDir, tenant);
    await files.mkdir(dir, { recursive: true });
    const entries = await LineFile.open(files, dir, 'entries.ndjson');
    const heads = await LineFile.open(files, dir, 'heads.ndjson');
    const written = check(tenant, parsed<AuditEntry>(tenant, entries.lines), parsed<ChainHead>(tenant, heads.lines));
    return new TenantChain({ tenant, key, entries: entries.file, heads: heads.file }, written);
  }

  /** Adds what is not there yet, and signs the new head. Durable on return; repeat it after an error. */
  async write(entries: readonly AuditEntry[], nowMs: number): Promise<void> {
    const news = entries.filter(({ seq }) => seq > this.#head.seq);
    const [first, last] = [news[0], news.at(-1)];
    if (first !== undefined && last !== undefined) {
      if (first.prevHash !== this.#head.hash)
        throw corrupt(this.#tenant, `entry ${first.seq} of the log does not follow`);
      await this.#entries.append(news.map((entry) => JSON.stringify(entry)));
      this.#head = { seq: last.seq, hash: last.hash };
    }
    const { seq, hash } = this.#head;
    if (seq === this.#signedSeq) return;
    const signature = sign(null, Buffer.from(signedText(this.#tenant, { seq, hash })), this.#key).toString('base64');
    await this.#heads.append([JSON.stringify({ seq, hash, signedAtMs: nowMs, signature })]);
    this.#signedSeq = seq;
  }
}

interface Written {
  readonly head: ChainHead;
  readonly signedSeq: number;
}

/** Going on behind a chain that does not hold would bury the place. */
function check(tenant: string, entries: readonly AuditEntry[], heads: readonly ChainHead[]): Written {
  const { firstBad } = verifyChain(entries);
  if (firstBad !== null) throw corrupt(tenant, `entry ${firstBad.seq} ${firstBad.reason}`);
  const signed = heads.at(-1);
  if (signed !== undefined && entries[signed.seq - 1]?.hash !== signed.hash)
    throw corrupt(tenant, `head ${signed.seq} was signed, and its entry is not there`);
  const { seq, hash } = entries.at(-1) ?? EMPTY_CHAIN;
  return { head: { seq, hash }, signedSeq: signed?.seq ?? 0 };
}

function parsed<T>(tenant: string, lines: readonly string[]): T[] {
  try {
    return lines.map((line) => JSON.parse(line) as T);
  } catch {
    throw corrupt(tenant, 'a line is no JSON');
  }
}

function corrupt(tenant: string, why: string): UnavailableError {
  const hint =
    'Move the folder of this tenant away, as evidence, and start again: it is written anew from the log. See "flyball audit verify".';
  return new UnavailableError('AUDIT_CORRUPT', `the audit files do not hold: ${why}`, { hint, detail: { tenant } });
}
