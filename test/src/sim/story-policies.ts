import { policyDigest } from '@flyball/policy';
import { readFileSync } from 'node:fs';

const shipped = (name: string) =>
  readFileSync(new URL(`../../../services/planner/policies/${name}.yaml`, import.meta.url), 'utf8');
const policyOf = (name: string, text: string) => ({ name, text, digest: policyDigest(text) });
/** Policies of every other story. */
export const POLICIES = ['rollback-failing-release', 'throttle-overloaded-service'].map((name) =>
  policyOf(name, shipped(name)),
);
/** What is shipped, with short times, so that all of it happens in a story; a release is rolled back by a person's leave. */
export const LIVELY_POLICIES = [
  policyOf(
    'rollback-with-approval',
    shipped('rollback-with-approval')
      .replace('careful*', 'demo*')
      .replace('expiresSeconds: 600', 'expiresSeconds: 6')
      .replace('cooldownSeconds: 600', 'cooldownSeconds: 20'),
  ),
  policyOf(
    'throttle-overloaded-service',
    shipped('throttle-overloaded-service').replace('cooldownSeconds: 120', 'cooldownSeconds: 30'),
  ),
  policyOf(
    'isolate-bad-instance',
    shipped('isolate-bad-instance')
      .replace('ttlSeconds: 3600', 'ttlSeconds: 15')
      .replace('cooldownSeconds: 600', 'cooldownSeconds: 25'),
  ),
];

/** What a lively story is held to. */
export const LIVELY = {
  cooldownSeconds: {
    'rollback-with-approval': 20,
    'throttle-overloaded-service': 30,
    'isolate-bad-instance': 25,
  } as Readonly<Record<string, number>>,
  /** Policies that need a person. */
  asks: new Set(['rollback-with-approval']),
};
