import { Prng } from '@flyball/core';

/** Resource attribute that names the request: another one than the steady sender's. */
export const TRAFFIC_ATTRIBUTE = 'traffic.request';

const EVERY_MS = 100;
/** Metrics and logs are sent with every other step. */
const SIDE_EVERY = 2;
/** Spans end within so many ms before they are sent. */
const SPREAD_MS = 200;
const USUAL = { requests: 2, ownMs: 20, depth: 0 };
const TIMEOUT_MS = 5_000;

/** The three kinds of telemetry, by the path that takes them. */
export type Signal = 'traces' | 'metrics' | 'logs';

/** What an environment does: how much of what, until somebody does something about it. */
export interface Load {
  /** Requests of its entry in a step. */
  requests: number;
  /** What the entry itself takes, ms. */
  ownMs: number;
  /** Level of its queue, give or take ten. */
  depth: number;
  /** Whether a third of the requests goes to a second version, which fails in most of them. */
  hasBadRelease: boolean;
}

/** What became of a request, as far as its sender can know. */
export interface Sent {
  readonly signal: Signal;
  /** Resources that carry its id. */
  readonly resources: number;
  fate: 'under way' | 'acked' | 'unknown';
}

/** Environments of two services, of which one calls the other: traces, metrics and logs as JSON, and a ledger of what was acked. */
export class Traffic {
  readonly ledger = new Map<string, Sent>();
  readonly loads: Readonly<Record<string, Load>>;
  /** Base URL of OTLP/HTTP; it may be another one after a start. */
  url = '';
  readonly #entries: Readonly<Record<string, string>>;
  readonly #dice: Prng;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #totals = new Map<string, number>();
  readonly #startMs = Date.now();
  #timer: NodeJS.Timeout | undefined;
  #lastMs = 0;
  #steps = 0;
  #count = 0;

  /** @param entries - the service that is asked first, by environment; it calls `stock`. */
  constructor(entries: Readonly<Record<string, string>>, seed: number) {
    this.#entries = entries;
    this.#dice = new Prng(seed);
    this.loads = Object.fromEntries(Object.keys(entries).map((name) => [name, { ...USUAL, hasBadRelease: false }]));
  }

  start(): void {
    this.#timer = setInterval(() => this.#step(), EVERY_MS);
  }

  /** How long it has been there, ms. */
  get ageMs(): number {
    return Date.now() - this.#startMs;
  }

  /** Sends no more. Resolves when all is answered, or given up. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#inFlight);
  }

  /** Sends so many steps at once, so that some of it is under way. */
  burst(steps: number): void {
    for (let step = 0; step < steps; step += 1) this.#step();
  }

  /** As it was before anything was wrong. */
  calm(environment: string): void {
    Object.assign(this.loads[environment]!, { ...USUAL, hasBadRelease: false });
  }

  #step(): void {
    this.#steps += 1;
    // No two totals of one time: which of them is the newer one nobody could say.
    const nowMs = Math.max(Date.now(), this.#lastMs + 1);
    this.#lastMs = nowMs;
    for (const environment of Object.keys(this.loads)) {
      this.#post('traces', (id) => this.#traces(environment, nowMs, id));
      if (this.#steps % SIDE_EVERY !== 0) continue;
      this.#post('metrics', (id) => this.#metrics(environment, nowMs, id));
      this.#post('logs', (id) => this.#logs(environment, nowMs, id));
    }
  }

  #post(signal: Signal, bodyOf: (id: string) => readonly object[]): void {
    this.#count += 1;
    const id = `${signal}-${this.#count}`;
    const resources = bodyOf(id);
    const sent: Sent = { signal, resources: resources.length, fate: 'under way' };
    this.ledger.set(id, sent);
    const name = { traces: 'resourceSpans', metrics: 'resourceMetrics', logs: 'resourceLogs' }[signal];
    const sending = fetch(`${this.url}/v1/${signal}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ [name]: resources }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
      .then(
        ({ ok }) => (sent.fate = ok ? 'acked' : 'unknown'),
        () => (sent.fate = 'unknown'),
      )
      .then(() => void this.#inFlight.delete(sending));
    this.#inFlight.add(sending);
  }

  #traces(environment: string, nowMs: number, id: string): readonly object[] {
    const { requests, ownMs, hasBadRelease } = this.loads[environment]!;
    const dice = this.#dice;
    const [entries, others]: [Record<string, object[]>, object[]] = [{ v1: [], v2: [] }, []];
    for (let request = 0; request < requests; request += 1) {
      const version = hasBadRelease && dice.chance(1 / 3) ? 'v2' : 'v1';
      const isError = version === 'v2' && dice.chance(0.8);
      const traceId = dice.hex(32);
      const [root, call, served] = [dice.hex(16), dice.hex(16), dice.hex(16)];
      const endMs = nowMs - dice.below(SPREAD_MS);
      const tookMs = 2 + dice.below(8);
      const callEndMs = endMs - 1;
      const span = (spanId: string, parentSpanId: string, about: object) => ({
        traceId,
        spanId,
        parentSpanId,
        ...about,
      });
      const entry = { name: 'GET /', kind: 2, ...(isError && { status: { code: 2 } }) };
      const startMs = endMs - ownMs - dice.below(5) - tookMs - 4;
      entries[version]!.push(span(root, '', { ...entry, ...timesOf(startMs, endMs) }));
      const client = { name: 'stock', kind: 3, ...timesOf(callEndMs - tookMs - 2, callEndMs) };
      entries[version]!.push(span(call, root, client));
      const server = { name: 'GET /stock', kind: 2, ...timesOf(callEndMs - tookMs - 1, callEndMs - 1) };
      others.push(span(served, call, server));
    }
    const of = (service: string, version: string, spans: readonly object[]) => {
      const resource = resourceOf({ id, environment, service, version });
      return spans.length === 0 ? [] : [{ resource, scopeSpans: [{ spans }] }];
    };
    const entry = this.#entries[environment]!;
    return [...of(entry, 'v1', entries['v1']!), ...of(entry, 'v2', entries['v2']!), ...of('stock', 'v1', others)];
  }

  /** A level, and a total that only grows. */
  #metrics(environment: string, nowMs: number, id: string): readonly object[] {
    const time = { timeUnixNano: nanosOf(nowMs) };
    const total = (this.#totals.get(environment) ?? 0) + 5 + this.#dice.below(3);
    this.#totals.set(environment, total);
    const sum = { ...time, startTimeUnixNano: nanosOf(this.#startMs), asInt: String(total) };
    const metrics = [
      {
        name: 'queue.depth',
        gauge: { dataPoints: [{ ...time, asDouble: this.loads[environment]!.depth + this.#dice.below(10) }] },
      },
      { name: 'jobs', sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [sum] } },
    ];
    const resource = resourceOf({ id, environment, service: this.#entries[environment]!, version: 'v1' });
    return [{ resource, scopeMetrics: [{ metrics }] }];
  }

  #logs(environment: string, nowMs: number, id: string): readonly object[] {
    const record = (severityNumber: number, text: string) => {
      return {
        timeUnixNano: nanosOf(nowMs - this.#dice.below(SPREAD_MS)),
        severityNumber,
        body: { stringValue: text },
      };
    };
    const logRecords = [record(9, `served ${this.#dice.below(1_000)} requests`)];
    if (this.#dice.chance(0.3)) logRecords.push(record(13, `a query took ${this.#dice.below(1_000)} ms`));
    const resource = resourceOf({ id, environment, service: this.#entries[environment]!, version: 'v1' });
    return [{ resource, scopeLogs: [{ logRecords }] }];
  }
}

interface About {
  readonly id: string;
  readonly environment: string;
  readonly service: string;
  readonly version: string;
}

function resourceOf({ id, environment, service, version }: About): object {
  const named = {
    'service.name': service,
    'service.version': version,
    'deployment.environment.name': environment,
    [TRAFFIC_ATTRIBUTE]: id,
  };
  return { attributes: Object.entries(named).map(([key, stringValue]) => ({ key, value: { stringValue } })) };
}

function timesOf(startMs: number, endMs: number): object {
  return { startTimeUnixNano: nanosOf(startMs), endTimeUnixNano: nanosOf(endMs) };
}

function nanosOf(ms: number): string {
  return `${ms}000000`;
}
