import { RejectedError } from '@flyball/core';
import { readFileSync } from 'node:fs';

/**
 * A secret from the environment: the variable itself, or the file that `<NAME>_FILE` names, as orchestrators mount secrets.
 *
 * @throws {RejectedError} `CONFIG_INVALID` when there is none: exit with 78.
 */
export function secretOf(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const file = env[`${name}_FILE`];
  const secret = env[name] ?? (file === undefined ? '' : readFileSync(file, 'utf8').trim());
  if (secret !== '') return secret;
  throw new RejectedError('CONFIG_INVALID', `${name} is not set`, {
    hint: `Set ${name}, or ${name}_FILE to a file that holds it.`,
  });
}
