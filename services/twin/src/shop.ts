import { Prng } from '@flyball/core';
import { Rollouts } from './rollouts.ts';
import { ENTRY, SHOP, type ShopService } from './topology.ts';

/** A span of a simulated request. */
export interface SimulatedSpan {
  readonly service: string;
  readonly version: string;
  readonly instance: string;
  readonly name: string;
  /** `server` or `client`. */
  readonly kind: 'server' | 'client';
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly isError: boolean;
}

/** How a version of a service behaves differently. */
export interface VersionFault {
  readonly service: string;
  readonly version: string;
  /** Share of requests that fail, 0 to 1. */
  readonly errorRatio?: number | undefined;
  /** Its own work takes so many times as long. */
  readonly slowness?: number | undefined;
}

/** Longest a simulated request may take, ms; time of its own work is cut there. */
const WORK_MS_MAX = 2_000;

/** One environment of the simulated fleet: the same seed and the same orders give the same requests. */
export class Shop {
  readonly environment: string;
  readonly rollouts: Rollouts;
  readonly #dice: Prng;
  readonly #requestsPerSecond: number;
  readonly #services = new Map<string, ShopService>(SHOP.map((service) => [service.name, service]));
  #faults: VersionFault[] = [];
  #owed = 0;
  /** Whether its telemetry reaches nobody: the shop goes on, unseen. */
  isDark = false;

  constructor(environment: string, seed: number, requestsPerSecond: number) {
    this.environment = environment;
    this.rollouts = new Rollouts(environment, [...this.#services.values()]);
    this.#dice = new Prng(seed);
    this.#requestsPerSecond = requestsPerSecond;
  }

  /** Makes a version behave badly from now on. */
  addFault(fault: VersionFault): void {
    this.#faults.push(fault);
  }

  /** Requests that end within the `spanMs` before `nowMs`, as spans. */
  requests(nowMs: number, spanMs: number): readonly SimulatedSpan[] {
    this.#owed += (this.#requestsPerSecond * spanMs) / 1_000;
    const spans: SimulatedSpan[] = [];
    for (; this.#owed >= 1; this.#owed -= 1) {
      const endMs = nowMs - this.#dice.unit() * spanMs;
      const from = spans.length;
      const traceId = this.#dice.hex(32);
      const { tookMs } = this.#serve({ service: ENTRY, traceId, parentSpanId: undefined, startMs: 0, nowMs }, spans);
      // Served from 0 on; now it is known how long it took, and it ends where it should.
      for (let index = from; index < spans.length; index += 1) {
        const span = spans[index]!;
        const shiftMs = endMs - tookMs;
        spans[index] = { ...span, startMs: span.startMs + shiftMs, endMs: span.endMs + shiftMs };
      }
    }
    return spans;
  }

  #serve(call: Call, spans: SimulatedSpan[]): { tookMs: number; isError: boolean } {
    const dice = this.#dice;
    const service = this.#services.get(call.service)!;
    const version = this.#versionOf(service.name, call.nowMs);
    const fault = this.#faults.find((each) => each.service === service.name && each.version === version);
    const spanId = dice.hex(16);
    const instance = `${service.name}-${version}-${dice.below(service.instances)}`;
    const ownMs = Math.min(
      WORK_MS_MAX,
      service.medianMs * Math.exp(service.sigma * dice.normal()) * (fault?.slowness ?? 1),
    );
    let atMs = call.startMs + ownMs / 2;
    let isError = dice.chance(fault?.errorRatio ?? service.errorRatio);
    for (const { service: callee, ratio } of isError ? [] : service.calls) {
      if (!dice.chance(ratio)) continue;
      const clientId = dice.hex(16);
      const served = this.#serve({ ...call, service: callee, parentSpanId: clientId, startMs: atMs + 0.5 }, spans);
      const endMs = atMs + served.tookMs + 1;
      const about = { service: service.name, version, instance, traceId: call.traceId, isError: served.isError };
      spans.push({
        ...about,
        name: callee,
        kind: 'client',
        spanId: clientId,
        parentSpanId: spanId,
        startMs: atMs,
        endMs,
      });
      isError ||= served.isError;
      atMs = endMs;
    }
    const endMs = atMs + ownMs / 2;
    const about = { service: service.name, version, instance, traceId: call.traceId, isError };
    const ids = { spanId, parentSpanId: call.parentSpanId };
    spans.push({ ...about, ...ids, name: service.operation, kind: 'server', startMs: call.startMs, endMs });
    return { tookMs: endMs - call.startMs, isError };
  }

  #versionOf(service: string, nowMs: number): string {
    const { stable, canary, canaryRatio } = this.rollouts.read(service, nowMs)!;
    return canary !== null && this.#dice.chance(canaryRatio) ? canary : stable;
  }
}

interface Call {
  readonly service: string;
  readonly traceId: string;
  readonly parentSpanId: string | undefined;
  readonly startMs: number;
  readonly nowMs: number;
}
