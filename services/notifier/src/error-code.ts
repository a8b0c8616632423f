import { AppError } from '@flyball/core';

/** Code of an error, for labels and listings. */
export function codeOf(error: unknown): string {
  return error instanceof AppError ? error.code : 'UNEXPECTED';
}
