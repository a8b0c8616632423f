/**
 * Who has to act on an error. Every error in the system is exactly one of these.
 *
 * - `bug`: a developer. One of our own invariants broke. The process exits.
 * - `rejected`: the sender. This input can never succeed. It is answered or dead-lettered; we go on.
 * - `unavailable`: nobody, at first. The world is down. We back off and try again.
 */
export type ErrorKind = 'bug' | 'rejected' | 'unavailable';

/** Optional context for an {@link AppError}. */
export interface ErrorOptions {
  /** What the reader can do about it. One full sentence. */
  readonly hint?: string;
  /** The lower-level error. Never repeat its text in `message`; loggers print the chain. */
  readonly cause?: unknown;
  /** Structured facts for the log line: ids, sizes, limits. Values must be JSON. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * Base of every error we throw on purpose.
 *
 * `code` is stable, documented and greppable, e.g. `LOG_FULL`. `message` is short, lowercase and
 * factual. Tests assert on `code`, never on `message`.
 */
export abstract class AppError extends Error {
  abstract readonly kind: ErrorKind;
  readonly code: string;
  readonly hint: string | undefined;
  readonly detail: Readonly<Record<string, string | number | boolean>>;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.detail = options.detail ?? {};
  }
}

/** An invariant of ours does not hold. Only {@link assert} and {@link unreachable} create these. */
export class BugError extends AppError {
  readonly kind = 'bug';
}

/** An input that will fail the same way on every retry. */
export class RejectedError extends AppError {
  readonly kind = 'rejected';
}

/** A dependency did not answer, or answered that it cannot serve us now. */
export class UnavailableError extends AppError {
  readonly kind = 'unavailable';
}

/**
 * States something that must be true. Split compound conditions into several calls.
 *
 * @throws {BugError} `ASSERT` when `condition` is false. Do not catch it: the process must exit.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new BugError('ASSERT', message);
}

/**
 * Closes a `switch` over a union: does not compile while a case is missing.
 *
 * @throws {BugError} `UNREACHABLE` when types lied. Do not catch it: the process must exit.
 */
export function unreachable(value: never): never {
  throw new BugError('UNREACHABLE', `no case for ${JSON.stringify(value)}`);
}

/** Code of an error, for labels and listings; `UNEXPECTED` where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof AppError ? error.code : 'UNEXPECTED';
}
