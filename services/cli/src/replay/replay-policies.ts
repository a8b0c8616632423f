import { configurationFiles } from '@flyball/api';
import { parseConfiguration, policyDigest } from '@flyball/policy';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReplayWord } from './replay-stages.ts';

/**
 * What a folder says to the stages of a replay, in the order of its files: policies and objectives. Bindings say nothing here: in
 * a recording every service has its stand-in.
 *
 * @throws {RejectedError} `POLICY_INVALID`
 */
export function readPolicies(dir: string): readonly ReplayWord[] {
  return configurationFiles(dir).flatMap((path): ReplayWord[] => {
    const text = readFileSync(join(dir, path), 'utf8');
    const read = parseConfiguration(text);
    if (read.kind === 'binding') return [];
    if (read.kind === 'policy') {
      return [{ type: 'policy', name: read.policy.metadata.name, text, digest: policyDigest(text) }];
    }
    const { kind, ...objective } = read;
    return [{ type: kind, ...objective }];
  });
}

/** Whether anything is decided: objectives alone decide nothing. */
export function decides(words: readonly ReplayWord[]): boolean {
  return words.some(({ type }) => type === 'policy');
}
