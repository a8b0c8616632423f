import { RejectedError } from '@flyball/core';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import { HostConfig } from './host-config.ts';
import { readSettings } from './settings.ts';

/** Where settings come from. */
export interface SettingsSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Arguments of the process: `--window-ms=5000`, `--config=FILE`. */
  readonly args: readonly string[];
}

/** Settings of a process. */
export interface ServiceSettings<Config> {
  readonly host: HostConfig;
  readonly service: Config;
}

/**
 * Reads the settings of a process: a flag wins over the environment, that over the file. `windowMs` of the aggregator is
 * `--window-ms`, `FLYBALL_AGGREGATOR_WINDOW_MS`, and `aggregator: { windowMs: … }` in the YAML file of `--config`; settings of
 * the host are `FLYBALL_HOST_…` and `host: …`. The file may name other services too: one file serves a whole deployment.
 *
 * @throws {RejectedError} `CONFIG_INVALID`, also for what is no setting: exit with 78.
 */
export function readServiceSettings<Schema extends z.ZodType>(
  name: string,
  schema: Schema,
  { env, args }: SettingsSources,
): ServiceSettings<z.infer<Schema>> {
  const { config, ...flags } = flagsOf(args);
  const file = config === undefined ? {} : readFile(String(config));
  const hostKeys = new Set(Object.keys(HostConfig.unwrap().shape));
  const split = (wanted: boolean) =>
    Object.fromEntries(Object.entries(flags).filter(([key]) => hostKeys.has(key) === wanted));
  const prefix = `FLYBALL_${name.toUpperCase()}`;
  return {
    host: readSettings(HostConfig, 'FLYBALL_HOST', env, { file: file['host'], flags: split(true) }),
    service: readSettings(schema, prefix, env, { file: file[name], flags: split(false) }),
  };
}

function flagsOf(args: readonly string[]): Record<string, unknown> {
  const flags: Record<string, unknown> = {};
  for (const arg of args) {
    const match = /^--([a-z][a-z0-9-]*)=(.*)$/s.exec(arg);
    if (match === null) {
      throw new RejectedError('CONFIG_INVALID', `not a flag: ${arg}`, { hint: 'Flags are written --name=value.' });
    }
    flags[match[1]!.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())] = valueOf(match[2]!);
  }
  return flags;
}

function readFile(path: string): Record<string, Record<string, unknown> | undefined> {
  try {
    return (parse(readFileSync(path, 'utf8')) ?? {}) as Record<string, Record<string, unknown>>;
  } catch (cause) {
    throw new RejectedError('CONFIG_INVALID', `the file ${path} cannot be read`, { cause });
  }
}

/** As in JSON; what is no JSON is text. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
