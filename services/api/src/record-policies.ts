import { controlCodec, type ControlMessage, DEFAULT_TENANT } from '@flyball/contracts';
import { RejectedError } from '@flyball/core';
import { parseConfiguration, policyDigest } from '@flyball/policy';
import { fresh, type Log, Marks } from '@flyball/runtime';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlWriter } from './control-writer.ts';

const BY = { tenant: DEFAULT_TENANT, actor: 'start' };
type Said = Parameters<ControlWriter['say']>[0];

/**
 * Puts what a folder says on record: policies, objectives and bindings, each by its `kind`, also from folders in it; unless the
 * newest word on it says the same already. Cases of policies (`*.test.yaml`) are for `flyball policy test`.
 *
 * @param drivers - what bindings may name; `undefined` where the actuator is another process.
 * @throws {RejectedError} `POLICY_INVALID`, with the file's name: do not start with what nobody can read. Nothing is on
 * record then.
 */
export async function recordPolicies(
  dir: string,
  words: ControlWriter,
  log: Log,
  drivers?: readonly string[],
): Promise<void> {
  const said = configurationFiles(dir).map((path) => wordOf(path, readFileSync(join(dir, path), 'utf8'), drivers));
  const known = await recorded(log);
  for (const word of said) {
    if (known.get(keyOf(word)) !== contentOf(word)) await words.say(word);
  }
}

/** Files of configuration in a folder and in those in it, in a fixed order; paths from it on. */
export function configurationFiles(dir: string): readonly string[] {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.ya?ml$/.test(name) && !/\.test\.ya?ml$/.test(name)).sort();
}

function wordOf(path: string, text: string, drivers: readonly string[] | undefined): Said {
  try {
    const read = parseConfiguration(text, drivers);
    switch (read.kind) {
      case 'policy':
        return { type: 'policy', ...BY, name: read.policy.metadata.name, text, digest: policyDigest(text) };
      case 'slo': {
        const { kind, ...objective } = read;
        return { type: kind, ...BY, ...objective };
      }
      case 'binding': {
        const { environment, service, target } = read;
        return { type: 'binding', ...BY, environment, service, target };
      }
    }
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error;
    const hint = error.hint ?? 'Correct the places that are named.';
    throw new RejectedError(error.code, `${path}: ${error.message}`, { hint });
  }
}

/** What a word is about: a later word with the same key takes the place of an earlier one. */
function keyOf(word: Said | ControlMessage): string {
  if (word.type === 'policy') return JSON.stringify(['policy', word.name]);
  if (word.type === 'slo') return JSON.stringify(['slo', word.environment, word.service, word.sli ?? 'errors']);
  return 'environment' in word && 'service' in word ? JSON.stringify([word.type, word.environment, word.service]) : '';
}

function contentOf(word: Said | ControlMessage): string {
  switch (word.type) {
    case 'policy':
      return word.digest;
    case 'slo':
      // A word without an SLI was said before objectives came to the detector: it is said again.
      return JSON.stringify([word.sli, word.thresholdMs, word.objectiveRatio, word.windowMs]);
    case 'binding':
      return JSON.stringify([word.target.driver, word.target.name, word.target.fencing ?? '']);
    default:
      return '';
  }
}

/** The newest word on each thing. */
async function recorded(log: Log): Promise<ReadonlyMap<string, string>> {
  const words = new Map<string, string>();
  const { partitions } = await log.describe('flyball.control');
  for (let partition = 0; partition < partitions; partition += 1) {
    const from = { topic: 'flyball.control', partition };
    const { startOffset, endOffset } = await log.range(from);
    const marks = new Marks();
    for (let offset = startOffset; offset < endOffset;) {
      const records = await log.read(from, offset, 1_000_000);
      for (const record of fresh(records, marks)) {
        const word = controlCodec.decode(record);
        words.set(keyOf(word), contentOf(word));
      }
      offset = records.at(-1)!.offset + 1;
    }
  }
  return words;
}
