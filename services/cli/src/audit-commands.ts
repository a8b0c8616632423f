import { type Command, Option } from 'commander';
import { readFileSync } from 'node:fs';
import { CliError, EXIT } from './cli-error.ts';
import { examples } from './examples.ts';
import { type Format, printRows } from './output.ts';
import { dataDir } from './places.ts';

/** `audit verify`. */
export function auditCommands(root: Command): void {
  const audit = root.command('audit').description('the tamper-evident record of words, commands and outcomes');
  audit
    .command('verify')
    .description(
      'check every link and signature from the files alone; needs no server. Exit code 3 when it does not hold',
    )
    .option('--data <dir>', 'data directory')
    .option('--public-key <file>', 'a public key that was kept elsewhere')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['table', 'json', 'yaml']).default('table'))
    .addHelpText(
      'after',
      examples('flyball audit verify', 'flyball audit verify --data /var/lib/flyball --public-key audit.pem'),
    )
    .action(async (options: { data?: string; publicKey?: string; output: Format }) => {
      const { verifyAudit } = await import('@flyball/audit-files');
      const reports = verifyAudit(dataDir(options.data), options.publicKey && readFileSync(options.publicKey, 'utf8'));
      printRows(
        reports,
        [
          { title: 'tenant', of: (row) => row.tenant },
          { title: 'chain', of: (row) => (row.ok ? 'ok' : 'BROKEN') },
          { title: 'entries', of: (row) => row.entries },
          { title: 'signed to', of: (row) => row.signedSeq },
          { title: 'problem', of: (row) => row.problem || '-' },
        ],
        options.output,
      );
      if (reports.length === 0)
        throw new CliError('there is no audit here', 'name the data directory with --data', EXIT.insufficient);
      if (reports.some(({ ok }) => !ok)) process.exitCode = EXIT.fail;
    });
}
