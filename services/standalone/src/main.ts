import { AppError } from '@flyball/core';
import { describeError, endOnBrokenDisk } from '@flyball/host';
import { type Overrides, readOptions, Standalone } from './index.ts';

// The line as a process. Settings come from the environment and, as JSON, from the first argument. Prints its
// addresses on standard output when it is there; stops on SIGTERM, SIGINT, or when its parent is gone.

const EXIT = { bug: 70, rejected: 78, unavailable: 1 } as const;

try {
  const overrides = JSON.parse(process.argv[2] ?? '{}') as Overrides;
  const standalone = await Standalone.start(readOptions(process.env, overrides), endOnBrokenDisk);
  process.stdout.write(
    `${JSON.stringify({ addresses: standalone.addresses, token: standalone.token, pid: process.pid })}\n`,
  );
  const stop = () => void standalone.stop().finally(() => process.exit(0));
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // When the parent dies, however it dies, its end of this pipe closes.
  if (process.argv[3] === '--with-parent') process.stdin.on('end', stop).on('error', stop).resume();
} catch (error) {
  process.stderr.write(`${JSON.stringify(describeError(error))}\n`);
  process.exit(error instanceof AppError ? EXIT[error.kind] : EXIT.bug);
}
