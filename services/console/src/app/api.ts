import type { Problem } from '@flyball/api';

/** What the API said no with, or that it is not there. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly fix: string;

  constructor(status: number, { code, detail, fix }: Pick<Problem, 'code' | 'detail' | 'fix'>) {
    super(detail);
    this.status = status;
    this.code = code;
    this.fix = fix;
  }
}

const AWAY = {
  code: 'API_AWAY',
  detail: 'Flyball does not answer',
  fix: 'See whether it runs; this page goes on by itself when it is back.',
};

/**
 * Asks the API with the console's session.
 *
 * @throws {ApiError} also when nobody answers, with status 0.
 */
export async function ask<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
  const headers: Record<string, string> = method === 'GET' ? {} : { 'x-flyball-console': '1' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await fetch(path, init).catch(() => {
    throw new ApiError(0, AWAY);
  });
  const answer = (await response.json().catch(() => ({}))) as T & Partial<Problem>;
  if (response.ok) return answer;
  const { code = `HTTP_${response.status}`, detail = response.statusText, fix = 'See /openapi.json.' } = answer;
  throw new ApiError(response.status, { code, detail, fix });
}
