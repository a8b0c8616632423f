import { controlCodec, DEFAULT_TENANT } from '@flyball/contracts';
import { parsePolicy, policyDigest } from '@flyball/policy';
import { fresh, type Log, Marks } from '@flyball/runtime';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlWriter } from './control-writer.ts';

/**
 * Puts the policies of a folder on record, unless the newest word on one says the same already.
 *
 * @throws {RejectedError} `POLICY_INVALID`, with the file's name: do not start with a policy that nobody can read.
 */
export async function recordPolicies(dir: string, words: ControlWriter, log: Log): Promise<void> {
  const known = await recordedDigests(log);
  for (const file of readdirSync(dir)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()) {
    const text = readFileSync(join(dir, file), 'utf8');
    const { name } = parsePolicy(text).metadata;
    const digest = policyDigest(text);
    if (known.get(name) === digest) continue;
    await words.say({ type: 'policy', tenant: DEFAULT_TENANT, actor: 'start', name, text, digest });
  }
}

async function recordedDigests(log: Log): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  const { partitions } = await log.describe('flyball.control');
  for (let partition = 0; partition < partitions; partition += 1) {
    const from = { topic: 'flyball.control', partition };
    const { startOffset, endOffset } = await log.range(from);
    const marks = new Marks();
    for (let offset = startOffset; offset < endOffset;) {
      const records = await log.read(from, offset, 1_000_000);
      for (const record of fresh(records, marks)) {
        const word = controlCodec.decode(record);
        if (word.type === 'policy') digests.set(word.name, word.digest);
      }
      offset = records.at(-1)!.offset + 1;
    }
  }
  return digests;
}
