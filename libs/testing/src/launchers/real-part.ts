import type { ServerFaults } from './server-faults.ts';
import { skippable } from './skippable.ts';

/** A real server that tests and `npm run cluster` run against. */
export interface RealPart {
  /** Where it is, as a driver takes it: `kafka://127.0.0.1:19092`. */
  readonly url: string;
  /** What a client needs in its environment beside that of this process: credentials, files. */
  readonly env?: Readonly<Record<string, string>>;
  /** Absent where the server is not ours to kill: its URL was given. */
  readonly faults?: ServerFaults;
  /** Stops what was started here, and nothing else. Safe to call twice. */
  readonly stop: () => Promise<void>;
}

/** A server that is not to be had here, and how to get it: one line for people. */
export interface MissingPart {
  readonly missing: string;
}

/** The ways to a server, tried in this order. */
export interface Ways {
  /** `kafka`. */
  readonly name: string;
  /** Environment variable that names a server which runs already: `FLYBALL_TEST_KAFKA_URL`. */
  readonly urlVariable: string;
  /** Starts a container; tried only where a container engine answers. */
  readonly container: () => Promise<RealPart>;
  /** Starts a process of this machine. */
  readonly native: () => Promise<RealPart | MissingPart>;
}

/** Finds or starts a server: a given URL, then a container, then a process of this machine. */
export async function findPart(ways: Ways, env = process.env): Promise<RealPart | MissingPart> {
  const given = env[ways.urlVariable];
  if (given !== undefined && given !== '') return { url: given, stop: async () => undefined };
  if (await hasContainerEngine()) return ways.container();
  const found = await ways.native();
  if (!('missing' in found)) return found;
  return { missing: `${ways.name}: ${found.missing}; or name a running one in ${ways.urlVariable}` };
}

async function hasContainerEngine(): Promise<boolean> {
  const { getContainerRuntimeClient } = await import('testcontainers');
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

/**
 * A part for a test file, or the reason to skip it. Where real parts are required, a missing one is a failure.
 *
 * @throws when FLYBALL_REQUIRE_REAL is 1 and the part is missing.
 */
export async function partForTest(ways: Ways, env = process.env): Promise<RealPart | MissingPart> {
  const part = await findPart(ways, env);
  if ('missing' in part) skippable(part.missing, env);
  return part;
}
