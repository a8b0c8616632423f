import { auditCodec, type AuditEntry, type ChainHead, EMPTY_CHAIN } from '@flyball/contracts';
import { fresh, type Log, Marks } from '@flyball/runtime';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { signedText, tenantDir } from './layout.ts';

const TOPIC = 'flyball.audit';
const IDLE_WAIT_MS = 500;
const READ_BYTES_MAX = 1_000_000;

/** Follows the audit topic and writes it to files, each head signed. Restarts go on where the files end. */
export class AuditFiles {
  readonly #log: Log;
  readonly #dir: string;
  readonly #key: KeyObject;
  readonly #heads = new Map<string, ChainHead>();
  readonly #signed = new Map<string, number>();
  #isStopping = false;
  #loops: Promise<void>[] = [];

  /** @param dir - data directory; keys and files are below `audit/`. */
  constructor(log: Log, dir: string) {
    this.#log = log;
    this.#dir = join(dir, 'audit');
    mkdirSync(this.#dir, { recursive: true });
    this.#key = loadKey(this.#dir);
  }

  /** Starts to follow every partition. */
  async start(): Promise<void> {
    const { partitions } = await this.#log.describe(TOPIC);
    this.#loops = Array.from({ length: partitions }, (_, partition) => this.#follow(partition));
  }

  /** Writes and signs what there is, then stops. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#loops);
  }

  async #follow(partition: number): Promise<void> {
    const from = { topic: TOPIC, partition };
    const marks = new Marks();
    let offset = (await this.#log.range(from)).startOffset;
    for (;;) {
      const records = await this.#log.read(from, offset, READ_BYTES_MAX).catch(() => []);
      const news = fresh(records, marks);
      if (news.length > 0) this.#write(news.map((record) => auditCodec.decode(record)));
      offset = (records.at(-1)?.offset ?? offset - 1) + 1;
      if (records.length > 0) continue;
      if (this.#isStopping) return;
      await this.#log.wait(from, offset, IDLE_WAIT_MS).catch(() => undefined);
    }
  }

  #write(entries: readonly AuditEntry[]): void {
    for (const entry of entries) {
      const head = this.#headOf(entry.tenant);
      if (entry.seq <= head.seq) continue; // Written in an earlier life.
      append(join(tenantDir(this.#dir, entry.tenant), 'entries.ndjson'), JSON.stringify(entry));
      this.#heads.set(entry.tenant, { seq: entry.seq, hash: entry.hash });
    }
    for (const [tenant, head] of this.#heads) this.#sign(tenant, head);
  }

  #headOf(tenant: string): ChainHead {
    const known = this.#heads.get(tenant);
    if (known !== undefined) return known;
    const dir = tenantDir(this.#dir, tenant);
    mkdirSync(dir, { recursive: true });
    const path = join(dir, 'entries.ndjson');
    const last = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) : undefined;
    const head = last ? (JSON.parse(last) as AuditEntry) : EMPTY_CHAIN;
    this.#heads.set(tenant, { seq: head.seq, hash: head.hash });
    return head;
  }

  #sign(tenant: string, { seq, hash }: ChainHead): void {
    if (this.#signed.get(tenant) === seq) return;
    this.#signed.set(tenant, seq);
    const signature = sign(null, Buffer.from(signedText(tenant, { seq, hash })), this.#key).toString('base64');
    const line = JSON.stringify({ seq, hash, signedAtMs: Date.now(), signature });
    append(join(tenantDir(this.#dir, tenant), 'heads.ndjson'), line);
  }
}

/** Adds a line, durable on return. */
function append(path: string, line: string): void {
  const file = openSync(path, 'a');
  try {
    appendFileSync(file, `${line}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function loadKey(dir: string): KeyObject {
  const path = join(dir, 'key.pem');
  if (existsSync(path)) return createPrivateKey(readFileSync(path));
  const { privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(join(dir, 'key.pub.pem'), createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }));
  return privateKey;
}
