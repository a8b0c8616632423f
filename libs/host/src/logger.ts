import { AppError } from '@flyball/core';
import { pino, type Logger } from 'pino';
import { traceFields } from './tracing.ts';

export type { Logger } from 'pino';

/**
 * Structured logs to standard error; standard output is for data.
 *
 * @param level - `silent`, `error`, `warn`, `info` or `debug`.
 */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: describeError },
      mixin: traceFields,
    },
    pino.destination(2),
  );
}

/** An error with its chain of causes, each once: an error's text never holds its cause's. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  if (!(error instanceof AppError)) return { name: error.name, message: error.message, stack: error.stack, ...cause };
  const { code, kind, message, hint, detail } = error;
  return { code, kind, message, ...(hint && { hint }), detail, ...cause };
}
