import { inert } from '@flyball/core';
import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient } from '../api-client.ts';
import { EXIT } from '../cli-error.ts';
import { shared, type Shared } from '../client-options.ts';
import { printValue } from '../output.ts';
import { addressesOf, dataDir, tokenOf } from '../places.ts';
import type { Finding } from './finding.ts';

/** `flyball doctor`. */
export function doctorCommand(root: Command): void {
  shared(root.command('doctor').description('find out why nothing arrives, or why nothing is done'))
    .addHelpText(
      'after',
      '\nExit code 3 when something does not work, 0 otherwise.\n\nExamples:\n  flyball doctor\n  flyball doctor --url https://flyball.example.com -o json',
    )
    .action(async (options: Shared) => {
      const { examine } = await import('./doctor.ts');
      const findings = await examine(patientOf(options));
      if (options.output === 'table') process.stdout.write(findings.map(lineOf).join(''));
      else printValue(findings, options.output);
      if (findings.some(({ status }) => status === 'fail')) process.exitCode = EXIT.fail;
    });
}

/** A process that is named by its URL alone may be on another machine: its disk is not looked at. */
function patientOf({ data, url: told }: Shared) {
  const dir = dataDir(data);
  const url = told ?? process.env['FLYBALL_URL'];
  if (url !== undefined) return { dir: undefined, addresses: undefined, client: new ApiClient(url, tokenOf(dir)) };
  if (!existsSync(join(dir, 'addresses.json'))) return { dir, addresses: undefined, client: undefined };
  const addresses = addressesOf(dir);
  return { dir, addresses, client: new ApiClient(addresses.api, tokenOf(dir)) };
}

function lineOf({ status, about, cause, fix }: Finding): string {
  const line = `${status.padEnd(4)}  ${inert(about)}: ${inert(cause)}\n`;
  return fix === '' ? line : `${line}      fix: ${inert(fix)}\n`;
}
