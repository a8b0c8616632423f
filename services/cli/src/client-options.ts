import { type Command, Option } from 'commander';
import { ApiClient } from './api-client.ts';
import type { Format } from './output.ts';
import { addressesOf, dataDir, tokenOf } from './places.ts';

/** Options of every command that talks to the API. */
export interface Shared {
  readonly data?: string;
  readonly url?: string;
  readonly output: Format;
}

/** Gives a command the options of {@link Shared}. */
export function shared(command: Command): Command {
  return command
    .option('--data <dir>', 'data directory of the process to talk to')
    .option('--url <url>', 'base URL of the API, instead of the one in the data directory')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['table', 'json', 'yaml']).default('table'));
}

/** The API that is meant. @throws {CliError} when nobody can tell where it is. */
export function clientOf({ data, url }: Shared): ApiClient {
  const dir = dataDir(data);
  return new ApiClient(url ?? process.env['FLYBALL_URL'] ?? addressesOf(dir).api, tokenOf(dir));
}
