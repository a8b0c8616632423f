/** Exit codes. Scripts rely on them. */
export const EXIT = { pass: 0, toolError: 1, usage: 2, fail: 3, insufficient: 4 } as const;

/** An error for the person at the terminal: one line of cause, one line of fix, and an exit code. */
export class CliError extends Error {
  readonly fix: string;
  readonly exitCode: number;

  constructor(cause: string, fix: string, exitCode: number = EXIT.toolError) {
    super(cause);
    this.fix = fix;
    this.exitCode = exitCode;
  }
}
