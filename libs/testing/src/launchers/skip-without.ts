import type { TestContext } from 'vitest';
import { skippable } from './skippable.ts';

/**
 * Skips a test, and says how to get what it misses. Where real parts are required (FLYBALL_REQUIRE_REAL is 1) it fails instead.
 *
 * @param missing - what is missing and how to get it, or nothing.
 */
export function skipWithout({ skip }: TestContext, missing: string | undefined): void {
  if (skippable(missing) !== undefined) skip(missing);
}
