import { AppError } from '@flyball/core';
import type { FastifyError } from 'fastify';
import type { Problem } from './schemas.ts';

/** An error that a route answers with. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fix: string;

  constructor(status: number, code: string, detail: string, fix: string) {
    super(detail);
    this.status = status;
    this.code = code;
    this.fix = fix;
  }
}

/** Any error as a problem document; what nobody foresaw says nothing of its inside. */
export function problemOf(error: unknown, requestId: string): Problem {
  const about = (status: number, code: string, detail: string, fix: string): Problem => {
    return { type: `https://flyball.dev/errors#${code}`, title: code, status, code, detail, fix, requestId };
  };
  if (error instanceof HttpProblem) return about(error.status, error.code, error.message, error.fix);
  if (error instanceof AppError && error.kind === 'unavailable') {
    return about(503, error.code, error.message, error.hint ?? 'Try again in a moment.');
  }
  if (error instanceof AppError && error.kind === 'rejected') {
    return about(422, error.code, error.message, error.hint ?? 'Correct the request.');
  }
  const { statusCode = 500, code = '', message = '' } = error as Partial<FastifyError>;
  if (statusCode < 500)
    return about(
      statusCode,
      code === 'FST_ERR_VALIDATION' || code === 'FST_ERR_BAD_URL' ? 'REQUEST_INVALID' : code,
      message,
      'Correct the request; /openapi.json describes it.',
    );
  return about(500, 'API_FAILED', 'the request failed for a reason of ours', 'Report it with the requestId.');
}
