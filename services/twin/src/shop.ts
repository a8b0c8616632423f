import { Prng } from '@flyball/core';
import { Faults } from './faults.ts';
import { RetryStorm, type StormOptions } from './retry-storm.ts';
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

/** An instance as its host sees it. */
export interface InstanceLoad {
  readonly service: string;
  readonly version: string;
  readonly instance: string;
  /** Share of its processor that is in use, 0 to 1. */
  readonly cpuRatio: number;
}

/** Longest a simulated request may take, ms; time of its own work is cut there. */
const WORK_MS_MAX = 2_000;
/** A call that is refused comes back so fast, ms. */
const REFUSED_MS = 1;
/** Processor share of an instance that is well. */
const CPU_RATIO = 0.25;

/** One environment of the simulated fleet: the same seed and the same orders give the same requests. */
export class Shop {
  readonly environment: string;
  readonly rollouts: Rollouts;
  readonly faults = new Faults();
  readonly #dice: Prng;
  readonly #requestsPerSecond: number;
  readonly #services = new Map<string, ShopService>(SHOP.map((service) => [service.name, service]));
  readonly #canaryOwed = new Map<string, number>();
  #storm: RetryStorm | undefined;
  #owed = 0;
  /** Share of the usual traffic that comes. */
  trafficRatio = 1;
  /** Whether its telemetry reaches nobody: the shop goes on, unseen. */
  isDark = false;

  constructor(environment: string, seed: number, requestsPerSecond: number) {
    this.environment = environment;
    this.rollouts = new Rollouts(environment, [...this.#services.values()]);
    this.#dice = new Prng(seed);
    this.#requestsPerSecond = requestsPerSecond;
  }

  /** Gives the entry a bounded capacity and impatient clients, and a spike that begins now. */
  overload(options: StormOptions): void {
    this.#storm = new RetryStorm(options);
  }

  /** Every instance that serves, as its host sees it. */
  instances(nowMs: number): readonly InstanceLoad[] {
    return [...this.#services.values()].flatMap(({ name: service, instances }) => {
      const { stable, canary } = this.rollouts.read(service, nowMs)!;
      return [stable, ...(canary === null ? [] : [canary])].flatMap((version) =>
        Array.from({ length: instances }, (_, index) => {
          const instance = nameOf(service, version, index);
          const slowness = this.faults.of(service, version, instance)?.slowness ?? 1;
          return { service, version, instance, cpuRatio: 1 - (1 - CPU_RATIO) / Math.max(1, slowness) };
        }),
      );
    });
  }

  /** Requests that end within the `spanMs` before `nowMs`, as spans. */
  requests(nowMs: number, spanMs: number): readonly SimulatedSpan[] {
    const loadRatio = this.#storm?.loadRatio(nowMs) ?? 1;
    this.#owed += (this.#requestsPerSecond * this.trafficRatio * loadRatio * spanMs) / 1_000;
    const arrivals = Math.floor(this.#owed);
    this.#owed -= arrivals;
    const spans: SimulatedSpan[] = [];
    const admits = () => this.rollouts.admits(ENTRY, nowMs, this.#dice);
    const request = (waitedMs: number, isGivenUp: boolean) => {
      this.#request({ nowMs, endMs: nowMs - this.#dice.unit() * spanMs, waitedMs, isGivenUp }, spans);
    };
    if (this.#storm === undefined) {
      for (let index = 0; index < arrivals; index += 1) if (admits()) request(0, false);
      return spans;
    }
    const { served, refused } = this.#storm.step(nowMs, spanMs, arrivals, admits);
    for (const { waitedMs, isGivenUp } of served) request(waitedMs, isGivenUp);
    for (let index = 0; index < refused; index += 1) spans.push(this.#refusal(nowMs));
    return spans;
  }

  /** A request of a client. */
  #request({ nowMs, endMs, waitedMs, isGivenUp }: ClientRequest, spans: SimulatedSpan[]): void {
    const from = spans.length;
    const traceId = this.#dice.hex(32);
    const { tookMs } = this.#serve({ service: ENTRY, traceId, parentSpanId: undefined, startMs: 0, nowMs }, spans);
    // Served from 0 on; now it is known how long it took, and it ends where it should.
    const shiftMs = endMs - tookMs;
    for (let index = from; index < spans.length; index += 1) {
      const span = spans[index]!;
      spans[index] = { ...span, startMs: span.startMs + shiftMs, endMs: span.endMs + shiftMs };
    }
    const entry = spans.at(-1)!;
    // It waited before it was served, and whoever asked may have gone.
    spans[spans.length - 1] = { ...entry, startMs: entry.startMs - waitedMs, isError: entry.isError || isGivenUp };
  }

  /** A request that is turned away at the entry because too many wait. */
  #refusal(nowMs: number): SimulatedSpan {
    const entry = this.#services.get(ENTRY)!;
    const version = this.#versionOf(ENTRY, nowMs);
    const instance = this.#instanceOf(entry, version, nowMs);
    const ids = { traceId: this.#dice.hex(32), spanId: this.#dice.hex(16), parentSpanId: undefined };
    const about = { service: ENTRY, version, instance, name: entry.operation, kind: 'server' as const };
    return { ...about, ...ids, startMs: nowMs - REFUSED_MS, endMs: nowMs, isError: true };
  }

  #serve(call: Call, spans: SimulatedSpan[]): { tookMs: number; isError: boolean } {
    const dice = this.#dice;
    const service = this.#services.get(call.service)!;
    const version = this.#versionOf(service.name, call.nowMs);
    const spanId = dice.hex(16);
    const instance = this.#instanceOf(service, version, call.nowMs);
    const fault = this.faults.of(service.name, version, instance);
    const ownMs = Math.min(
      WORK_MS_MAX,
      service.medianMs * Math.exp(service.sigma * dice.normal()) * (fault?.slowness ?? 1),
    );
    let atMs = call.startMs + ownMs / 2;
    let isError = dice.chance(fault?.errorRatio ?? service.errorRatio);
    for (const { service: callee, ratio } of isError ? [] : service.calls) {
      if (!dice.chance(ratio)) continue;
      const clientId = dice.hex(16);
      const called = this.#call({ ...call, caller: service.name, service: callee, clientId, startMs: atMs }, spans);
      const endMs = atMs + called.tookMs;
      const about = { service: service.name, version, instance, traceId: call.traceId, isError: called.isError };
      const ids = { spanId: clientId, parentSpanId: spanId };
      spans.push({ ...about, ...ids, name: callee, kind: 'client', startMs: atMs, endMs });
      isError ||= called.isError;
      atMs = endMs;
    }
    const endMs = atMs + ownMs / 2;
    const about = { service: service.name, version, instance, traceId: call.traceId, isError };
    const ids = { spanId, parentSpanId: call.parentSpanId };
    spans.push({ ...about, ...ids, name: service.operation, kind: 'server', startMs: call.startMs, endMs });
    return { tookMs: endMs - call.startMs, isError };
  }

  /** A call as its caller sees it: refused, turned away by a throttle (which is no failure: there is a fallback), or served. */
  #call({ caller, clientId, ...call }: OutgoingCall, spans: SimulatedSpan[]): { tookMs: number; isError: boolean } {
    if (this.faults.isDown(call.service)) return { tookMs: REFUSED_MS, isError: true };
    if (!this.rollouts.admits(call.service, call.nowMs, this.#dice)) return { tookMs: REFUSED_MS, isError: false };
    const addedMs = this.faults.addedMs(caller, call.service);
    const startMs = call.startMs + 0.5 + addedMs / 2;
    const { tookMs, isError } = this.#serve({ ...call, parentSpanId: clientId, startMs }, spans);
    return { tookMs: tookMs + 1 + addedMs, isError };
  }

  /** Canaries get their share by turns, however small it is. */
  #versionOf(service: string, nowMs: number): string {
    const { stable, canary, canaryRatio } = this.rollouts.read(service, nowMs)!;
    if (canary === null) return stable;
    const owed = (this.#canaryOwed.get(service) ?? 0) + canaryRatio;
    this.#canaryOwed.set(service, owed >= 1 ? owed - 1 : owed);
    return owed >= 1 ? canary : stable;
  }

  #instanceOf({ name, instances }: ShopService, version: string, nowMs: number): string {
    const { isolated } = this.rollouts.read(name, nowMs)!;
    const all = Array.from({ length: instances }, (_, index) => nameOf(name, version, index));
    const left = all.filter((each) => !isolated.some(({ instance }) => instance === each));
    return left[this.#dice.below(left.length)]!;
  }
}

function nameOf(service: string, version: string, index: number): string {
  return `${service}-${version}-${index}`;
}

interface ClientRequest {
  readonly nowMs: number;
  readonly endMs: number;
  readonly waitedMs: number;
  readonly isGivenUp: boolean;
}

interface Call {
  readonly service: string;
  readonly traceId: string;
  readonly parentSpanId: string | undefined;
  readonly startMs: number;
  readonly nowMs: number;
}

interface OutgoingCall extends Call {
  readonly caller: string;
  readonly clientId: string;
}
