import { HOUR_MS } from '@flyball/core';
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** How long a person who opened the console may stay without a new link. */
const SESSION_MS = 24 * HOUR_MS;
/** How long a link to the console waits to be opened. */
const TICKET_MS = HOUR_MS;
/** Used tickets that are remembered; more at once than anybody prints. */
const USED_MAX = 10_000;

/** A link's one-time token. */
export interface Ticket {
  readonly ticket: string;
  readonly expiresAtMs: number;
}

/**
 * Sessions of the console. A session is a cookie that this API has signed: it outlives a restart, and several APIs with one
 * token know it. A ticket is exchanged for one, once, at the process that has made it.
 */
export class Sessions {
  /** Differs by token: two installations on one host do not take each other's cookie, which knows no ports. */
  readonly cookieName: string;
  readonly #key: Buffer;
  /** Names this process: tickets of an earlier one are void, as nobody knows whether they were used. */
  readonly #run = randomBytes(9).toString('base64url');
  readonly #used = new Map<string, number>();

  constructor(token: string) {
    this.#key = createHash('sha256').update(`flyball session\n${token}`).digest();
    this.cookieName = `flyball_${createHash('sha256').update(this.#key).digest('hex').slice(0, 12)}`;
  }

  /** A one-time token for a link. */
  ticket(nowMs: number): Ticket {
    const expiresAtMs = nowMs + TICKET_MS;
    return { ticket: this.#signed(`t-${this.#run}`, expiresAtMs), expiresAtMs };
  }

  /** Takes a ticket. @returns whether it was good; then it is not any more. */
  redeem(ticket: string, nowMs: number): boolean {
    if (!this.#isGood(ticket, `t-${this.#run}`, nowMs) || this.#used.has(ticket)) return false;
    for (const [used, untilMs] of this.#used) if (untilMs <= nowMs) this.#used.delete(used);
    if (this.#used.size >= USED_MAX) return false;
    this.#used.set(ticket, nowMs + TICKET_MS);
    return true;
  }

  /** `Set-Cookie` of a new session. */
  open(nowMs: number): string {
    const value = this.#signed('s', nowMs + SESSION_MS);
    return `${this.cookieName}=${value}; Path=/; Max-Age=${SESSION_MS / 1_000}; HttpOnly; SameSite=Strict`;
  }

  /** `Set-Cookie` that ends a session in this browser. */
  end(): string {
    return `${this.cookieName}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`;
  }

  /** Whether a `Cookie` header holds a session. */
  holds(header: string | undefined, nowMs: number): boolean {
    const found = (header ?? '')
      .split(';')
      .map((pair) => pair.trim())
      .find((pair) => pair.startsWith(`${this.cookieName}=`));
    return found !== undefined && this.#isGood(found.slice(this.cookieName.length + 1), 's', nowMs);
  }

  #signed(purpose: string, expiresAtMs: number): string {
    const body = `${expiresAtMs}.${randomBytes(12).toString('base64url')}`;
    return `${body}.${this.#mac(purpose, body)}`;
  }

  #isGood(text: string, purpose: string, nowMs: number): boolean {
    const [expiresAtMs = '', nonce = '', mac = ''] = text.split('.');
    const expected = Buffer.from(this.#mac(purpose, `${expiresAtMs}.${nonce}`));
    const given = Buffer.from(mac);
    return given.length === expected.length && timingSafeEqual(given, expected) && nowMs < Number(expiresAtMs);
  }

  #mac(purpose: string, body: string): string {
    return createHmac('sha256', this.#key).update(`${purpose}\n${body}`).digest('base64url');
  }
}
