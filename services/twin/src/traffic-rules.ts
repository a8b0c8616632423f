import type { Prng } from '@flyball/core';
import type { Order } from './orders.ts';

type Limit = Extract<Order, { verb: 'throttle' }>['limit'];

/** A throttle as it is now. */
export interface Throttle {
  readonly commandId: string;
  /** As it was ordered, and as it is now that some of it was released. */
  readonly ordered: Limit;
  readonly limit: Limit;
}

/** An instance that gets no requests. */
export interface Isolated {
  readonly commandId: string;
  readonly instance: string;
}

/** What a service's proxy lets through: all, a part, and to which instances. */
export class TrafficRules {
  throttle: Throttle | null = null;
  isolated: readonly Isolated[] = [];
  /** Requests that a limit per second has to spare. */
  #spare = 0;
  #spareAtMs = 0;

  /** Whether a request is let through. Dice are thrown only where there is a throttle. */
  admits(nowMs: number, dice: Prng): boolean {
    if (this.throttle === null) return true;
    const { kind, value } = this.throttle.limit;
    if (kind === 'ratio') return dice.chance(value);
    this.#spare = Math.min(value, this.#spare + ((nowMs - this.#spareAtMs) / 1_000) * value);
    this.#spareAtMs = nowMs;
    if (this.#spare < 1) return false;
    this.#spare -= 1;
    return true;
  }

  setThrottle(commandId: string, limit: Limit, nowMs: number): void {
    this.throttle = { commandId, ordered: limit, limit };
    this.#spare = 0;
    this.#spareAtMs = nowMs;
  }

  isolate(commandId: string, instance: string): void {
    this.isolated = [...this.isolated, { commandId, instance }];
  }

  /**
   * Takes back what a command has set, the share `doneRatio` of the way. Never tightens again what was released.
   *
   * @returns whether there was something of that command.
   */
  release(commandId: string, doneRatio: number): boolean {
    const before = this.isolated.length;
    this.isolated = this.isolated.filter((each) => each.commandId !== commandId);
    if (this.isolated.length < before) return true;
    if (this.throttle?.commandId !== commandId) return false;
    if (doneRatio === 1) {
      this.throttle = null;
      return true;
    }
    const { ordered, limit } = this.throttle;
    const { kind, value } = ordered;
    const released = kind === 'ratio' ? value + (1 - value) * doneRatio : value / (1 - doneRatio);
    this.throttle = { commandId, ordered, limit: { kind, value: Math.max(limit.value, released) } };
    return true;
  }

  /** For people: `; 50 % of requests; without web-v1-0`. */
  get text(): string {
    const parts: string[] = [];
    if (this.throttle !== null) {
      const { kind, value } = this.throttle.limit;
      parts.push(kind === 'ratio' ? `${Math.round(value * 100)} % of requests` : `${value.toFixed(1)} requests/s`);
    }
    if (this.isolated.length > 0) parts.push(`without ${this.isolated.map(({ instance }) => instance).join(', ')}`);
    return parts.map((part) => `; ${part}`).join('');
  }
}
