import { EmbeddedLog } from '@flyball/log-embedded';
import { recordsOf } from '@flyball/testing';
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { expect } from 'vitest';

const HAMMER = new URL('./hammer.ts', import.meta.url).pathname;

/** What a sender knows of its items, and how its process ended. */
export interface Ledger {
  readonly sent: Set<number>;
  readonly acked: Set<number>;
  readonly refused: Map<number, string>;
  /** Why the disk was given up, and with which exit code; '' and null else. */
  broken: string;
  exitCode: number | null;
}

/** A ledger without items. */
export function newLedger(): Ledger {
  return { sent: new Set(), acked: new Set(), refused: new Map(), broken: '', exitCode: null };
}

/** How a hammer is run beside its arguments. */
export interface HammerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Told how many acknowledgements there are. */
  readonly onAcks?: (acks: number) => void;
}

/** Runs the hammer, kills it after so many acknowledgements, and takes in what it wrote down. */
export async function hammer(
  ledger: Ledger,
  args: readonly string[],
  killAfterAcks: number,
  { env = {}, onAcks = () => undefined }: HammerOptions = {},
): Promise<void> {
  const [path = '', ...rest] = args;
  const book = `${path}.ledger`;
  const child = spawn(process.execPath, [HAMMER, path, book, ...rest], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  let acks = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    acks += chunk.length;
    onAcks(acks);
    if (acks >= killAfterAcks) child.kill('SIGKILL');
  });
  ledger.exitCode = await new Promise((resolve) => child.once('close', resolve));
  const lines = readFileSync(book, 'utf8').split('\n');
  rmSync(book);
  for (const line of lines.slice(0, -1)) {
    const [word, item, code = ''] = line.split(' ');
    if (word === 's') ledger.sent.add(Number(item));
    if (word === 'a') ledger.acked.add(Number(item));
    if (word === 'b') ledger.broken = code;
    if (word === 'r') ledger.refused.set(Number(item), code);
  }
}

/** Items that the log holds, by partition and offset; there is no hole. */
export async function stored(path: string): Promise<number[]> {
  const log = await EmbeddedLog.open({ dir: path });
  const items: number[] = [];
  for (let partition = 0; partition < 4; partition += 1) {
    let { startOffset: next } = await log.range({ topic: 'items', partition });
    for (const { value, offset } of await recordsOf(log, { topic: 'items', partition })) {
      expect(offset, 'offsets have no hole').toBe(next);
      next += 1;
      items.push(Number(new TextDecoder().decode(value).split(' ')[0]));
    }
  }
  await log.close();
  return items;
}

/** What a sender was told is true. */
export function check(ledger: Ledger, items: readonly number[]): void {
  const once = new Set(items);
  expect(items.length, 'nothing is stored twice').toBe(once.size);
  const lost = [...ledger.acked].filter((item) => !once.has(item));
  expect(lost, 'acknowledged but not stored').toEqual([]);
  const unsent = items.filter((item) => !ledger.sent.has(item));
  expect(unsent, 'stored but never sent').toEqual([]);
  const refusedButStored = [...ledger.refused.keys()].filter((item) => once.has(item));
  expect(refusedButStored, 'refused but stored').toEqual([]);
}
