import type { CommandDetail, IncidentView, Problem, ServiceDetail, ServiceSummary } from '@flyball/api';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from './cli-error.ts';

const TIMEOUT_MS = 10_000;
/** An incident's inbox may be tens of megabytes. */
const LINES_TIMEOUT_MS = 120_000;
const AGAIN_MS = 200;

/** Talks to Flyball's API. */
export class ApiClient {
  readonly url: string;
  readonly #token: string;
  readonly #patienceMs: number;

  /**
   * @param patienceMs - how long to ask again where nobody is there to be asked: for who knows that it comes back. Default 0. What
   * may have been heard is not said again.
   */
  constructor(url: string, token: string, { patienceMs = 0 }: { readonly patienceMs?: number } = {}) {
    this.url = url;
    this.#token = token;
    this.#patienceMs = patienceMs;
  }

  async services(): Promise<readonly ServiceSummary[]> {
    return (await this.request<{ items: ServiceSummary[] }>('GET', '/v1/services')).items;
  }

  /** Items of a list of the API. */
  async list<T>(path: string): Promise<readonly T[]> {
    return (await this.request<{ items: T[] }>('GET', path)).items;
  }

  /** Lines of an answer that is JSON lines. @throws {CliError} with what the API said, or that it is not there. */
  async lines(path: string): Promise<readonly string[]> {
    const response = await this.#fetch('GET', path, undefined, LINES_TIMEOUT_MS);
    if (!response.ok) throw problemOf(response.status, await this.#bodyOf<Partial<Problem>>(response));
    return (await response.text()).split('\n').filter((line) => line !== '');
  }

  service(id: string): Promise<ServiceDetail> {
    return this.request('GET', `/v1/services/${encodeURIComponent(id)}`);
  }

  async incidents(): Promise<readonly IncidentView[]> {
    return (await this.request<{ items: IncidentView[] }>('GET', '/v1/incidents')).items;
  }

  incident(id: string): Promise<IncidentView> {
    return this.request('GET', `/v1/incidents/${encodeURIComponent(id)}`);
  }

  async commands(): Promise<readonly CommandDetail[]> {
    return (await this.request<{ items: CommandDetail[] }>('GET', '/v1/commands')).items;
  }

  async audit(): Promise<readonly { seq: number; atMs: number; fact: { type: string } & Record<string, unknown> }[]> {
    return (await this.request<{ items: never[] }>('GET', '/v1/audit?limit=1000')).items;
  }

  /** A link that opens the console, once. */
  async consoleLink(): Promise<string> {
    const { ticket } = await this.request<{ ticket: string }>('POST', '/v1/session/tickets');
    return `${this.url}/?t=${ticket}`;
  }

  /** @throws {CliError} with what the API said, or that it is not there. */
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.#fetch(method, path, body, TIMEOUT_MS);
    const answer = await this.#bodyOf<T & Partial<Problem>>(response);
    if (response.ok) return answer;
    throw problemOf(response.status, answer);
  }

  /** @throws {CliError} when it is no JSON: then something else listens there. */
  async #bodyOf<T>(response: Response): Promise<T> {
    const text = await response.text().catch((cause: unknown) => {
      const error = new CliError(`the answer of ${this.url} broke off`, 'try again; look at the log of the process');
      error.cause = cause;
      throw error;
    });
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      const error = new CliError(
        `what answers at ${this.url} is no Flyball (${response.status})`,
        'name the --url of its API, as "flyball start" prints it',
      );
      error.cause = cause;
      throw error;
    }
  }

  async #fetch(method: string, path: string, body: unknown, timeoutMs: number): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const endMs = performance.now() + this.#patienceMs;
    for (;;) {
      try {
        return await fetch(`${this.url}${path}`, { ...init, signal: AbortSignal.timeout(timeoutMs) });
      } catch (cause) {
        if (performance.now() < endMs && (method === 'GET' || wasNotHeard(cause))) {
          await sleep(AGAIN_MS);
          continue;
        }
        const fix = 'start one with "flyball start", or name its --url';
        const error = new CliError(`no Flyball answers at ${this.url}`, fix);
        error.cause = cause;
        throw error;
      }
    }
  }
}

function wasNotHeard(error: unknown): boolean {
  return ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED';
}

function problemOf(status: number, { code, detail, fix }: Partial<Problem>): CliError {
  return new CliError(`${code ?? status}: ${detail ?? 'the API refused'}`, fix ?? 'see /openapi.json');
}
