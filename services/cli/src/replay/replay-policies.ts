import { configurationFiles } from '@flyball/api';
import { parseConfiguration, policyDigest } from '@flyball/policy';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReplayPolicy } from './replay-stages.ts';

/** Policies of a folder, in the order of their files. @throws {RejectedError} `POLICY_INVALID` */
export function readPolicies(dir: string): readonly ReplayPolicy[] {
  return configurationFiles(dir).flatMap((path): ReplayPolicy[] => {
    const text = readFileSync(join(dir, path), 'utf8');
    const read = parseConfiguration(text);
    return read.kind === 'policy' ? [{ name: read.policy.metadata.name, text, digest: policyDigest(text) }] : [];
  });
}
