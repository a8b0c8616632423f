import { RejectedError } from '@flyball/core';
import type { z } from 'zod';

/** Settings from elsewhere than the environment. */
interface OtherSources {
  readonly file?: Readonly<Record<string, unknown>> | undefined;
  readonly flags?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Reads the settings of a service from environment variables: `windowMs` of `FLYBALL_AGGREGATOR` is
 * `FLYBALL_AGGREGATOR_WINDOW_MS`. Numbers and booleans are written as in JSON. All problems are told at once.
 *
 * @param more - what a file says, which the environment overrides, and what flags say, which win.
 * @throws {RejectedError} `CONFIG_INVALID`, also for a variable with the prefix that is no setting: exit with 78.
 */
export function readSettings<Schema extends z.ZodType>(
  schema: Schema,
  prefix: string,
  env: Readonly<Record<string, string | undefined>>,
  { file = {}, flags = {} }: OtherSources = {},
): z.infer<Schema> {
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || !name.startsWith(`${prefix}_`)) continue;
    const key = name
      .slice(prefix.length + 1)
      .toLowerCase()
      .replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    found[key] = parse(value);
  }
  const result = schema.safeParse({ ...file, ...found, ...flags });
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${prefix}: ${path.join('.')}: ${message}`);
  throw new RejectedError('CONFIG_INVALID', `invalid configuration\n${problems.join('\n')}`, {
    hint: 'Correct the settings that are named; each is described in the config.ts of its service.',
  });
}

function parse(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
