import { AppError } from '@flyball/core';
import { CliError, EXIT } from './cli-error.ts';
import { program } from './program.ts';

// The command line. Data goes to standard output, everything else to standard error.

try {
  await program().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CliError) {
    process.stderr.write(`flyball: ${error.message}\nfix: ${error.fix}\n`);
    process.exit(error.exitCode);
  }
  if (error instanceof AppError) {
    process.stderr.write(`flyball: ${error.code}: ${error.message}\nfix: ${error.hint ?? 'see docs/errors.md'}\n`);
    process.exit(EXIT.toolError);
  }
  process.stderr.write(
    `flyball: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\nfix: report this\n`,
  );
  process.exit(EXIT.toolError);
}
