import { parsePolicy, policyDigest } from '@flyball/policy';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReplayPolicy } from './replay-stages.ts';

/** Policies of a folder, in the order of their files. @throws {RejectedError} `POLICY_INVALID` */
export function readPolicies(dir: string): readonly ReplayPolicy[] {
  const names = readdirSync(dir).filter((name) => /\.ya?ml$/.test(name));
  return names.sort().map((name) => {
    const text = readFileSync(join(dir, name), 'utf8');
    return { name: parsePolicy(text).metadata.name, text, digest: policyDigest(text) };
  });
}
