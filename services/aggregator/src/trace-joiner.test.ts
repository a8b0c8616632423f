import type { Partial, PartialsMessage, Subject, TracesMessage } from '@flyball/contracts';
import { Prng } from '@flyball/core';
import { type PlainSpan, spanTableOf } from '@flyball/testing';
import { expect, test } from 'vitest';
import { AggregatorConfig } from './config.ts';
import { TraceJoiner } from './trace-joiner.ts';

// Goal: who reads "the network before checkout" or "own time of payment" reads what the spans say, in whichever order they came.
// Method: random traces whose own times, gaps and own failures are known by how they are made; their spans come by several
// partitions in the dice's order, with restarts, and the sums must be those of the making.

const CONFIG = AggregatorConfig.parse({ windowMs: 2_000, graceMs: 1_000, traceKeepMs: 10_000 });
const PARTITIONS = ['otlp_spans/0', 'otlp_spans/1', 'otlp_spans/2'];
const SERVER = 2;
const CLIENT = 3;
const BASE_MS = 1_700_000_000_000;

const subjectOf = (service: string): Subject => ({ tenant: 'default', environment: 'demo', service });

type Span = Omit<PlainSpan, 'subject'> & { readonly service: string };

/** The message of these spans. */
const messageOf = (spans: readonly Span[]): TracesMessage => ({
  type: 'spans',
  spans: spanTableOf(spans.map(({ service, ...span }) => ({ ...span, subject: subjectOf(service) }))),
});

/** What must come out, in µs, counts and errors, by `view service name`. */
type Sums = Map<string, { count: number; errors: number; sumUs: number }>;

function addTo(sums: Sums, key: string, us: number, isError: boolean): void {
  const sum = sums.get(key) ?? { count: 0, errors: 0, sumUs: 0 };
  sums.set(key, { count: sum.count + 1, errors: sum.errors + (isError ? 1 : 0), sumUs: sum.sumUs + us });
}

/** A request to a service, made so that every share of its time is known. Returns its end, µs, and whether it failed. */
function serve(
  service: string,
  depth: number,
  startUs: number,
  made: { spans: Span[]; sums: Sums; dice: Prng; traceId: string },
  parentId: string,
): { endUs: number; isError: boolean } {
  const { spans, sums, dice, traceId } = made;
  const spanId = dice.hex(16);
  let [atUs, ownUs] = [startUs, 0];
  const work = () => {
    const us = 1 + dice.below(20_000);
    ownUs += us;
    atUs += us;
  };
  work();
  let childFailed = false;
  const calls = depth === 0 ? 0 : dice.below(3);
  for (let call = 0; call < calls; call += 1) {
    const callee = `${service}-${call}`;
    const clientId = dice.hex(16);
    const [outUs, backUs] = [1 + dice.below(3_000), 1 + dice.below(3_000)];
    const served = serve(callee, depth - 1, atUs + outUs, made, clientId);
    const durationUs = served.endUs + backUs - atUs;
    spans.push({
      ...{ traceId, spanId: clientId, parentId: spanId, service, name: callee, kind: CLIENT, instance: '' },
      ...{ isError: served.isError, endUs: served.endUs + backUs, durationUs, peer: dice.pick(['', callee]) },
    });
    addTo(sums, `caller ${callee} ${service}`, durationUs, served.isError);
    addTo(sums, `gap ${callee} ${service}`, outUs + backUs, false);
    atUs = served.endUs + backUs;
    childFailed ||= served.isError;
    work();
  }
  const isOwnError = !childFailed && dice.chance(0.2);
  const isError = childFailed || isOwnError;
  spans.push({
    ...{ traceId, spanId, parentId, service, name: `GET /${service}`, kind: SERVER, instance: '', isError },
    ...{ endUs: atUs, durationUs: atUs - startUs, peer: '' },
  });
  addTo(sums, `self ${service} GET /${service}`, ownUs, isOwnError);
  return { endUs: atUs, isError };
}

function heard(said: readonly PartialsMessage[]): Sums {
  const sums: Sums = new Map();
  for (const message of said) {
    if (message.type !== 'partial') continue;
    for (const { view, name, count, errors, sumUs } of (message as Partial).series) {
      const key = `${view} ${message.subject.service} ${name}`;
      const sum = sums.get(key) ?? { count: 0, errors: 0, sumUs: 0 };
      sums.set(key, { count: sum.count + count, errors: sum.errors + errors, sumUs: sum.sumUs + sumUs });
    }
  }
  return sums;
}

/** Feeds spans by partition and second, as `local` does, and says what the joiner said. */
function join(spans: readonly Span[], dice: Prng, restarts: boolean, limits = {}): PartialsMessage[] {
  const place = { lane: 'joiner:flyball.traces/0', rawPartitions: PARTITIONS };
  const config = { ...CONFIG, ...limits };
  let joiner = new TraceJoiner(config, place);
  const said: PartialsMessage[] = [];
  const outbox = {
    emit: (_topic: string, _key: string, body: PartialsMessage) => void said.push(body),
    broadcast: (_topic: string, body: PartialsMessage) => void said.push(body),
    reject: () => undefined,
  };
  let offset = 0;
  const tell = (body: TracesMessage, atMs: number) => {
    joiner.process({ offset, epoch: 0, atMs, key: '', provenance: undefined, body }, outbox);
    offset += 1;
  };
  const placed = spans.map((span) => ({ span, partition: dice.below(PARTITIONS.length), lateMs: dice.below(900) }));
  const lastMs = Math.max(...spans.map(({ endUs }) => endUs / 1_000));
  for (let atMs = BASE_MS; atMs <= lastMs + 10_000; atMs += 1_000) {
    for (const [partition, from] of PARTITIONS.entries()) {
      const due = placed.filter((each) => {
        const sentMs = each.span.endUs / 1_000 + each.lateMs;
        return each.partition === partition && sentMs < atMs && sentMs >= atMs - 1_000;
      });
      const list = due.map(({ span }) => span);
      if (list.length > 0) tell(messageOf(list), atMs);
      // A span that was delivered twice is one span.
      if (list.length > 0 && dice.chance(0.2)) tell(messageOf(list.slice(0, 1)), atMs);
      tell({ type: 'time', kind: 'traces', from, atMs, blind: [], refusedTenants: [], reports: [] }, atMs);
    }
    if (!restarts || !dice.chance(0.3)) continue;
    const snapshot = joiner.snapshot();
    joiner = new TraceJoiner(config, place);
    joiner.restore(snapshot);
  }
  return said;
}

test.each([1, 2, 3, 4, 5])('seed %d: own times, gaps, calls and own failures are those of the spans', (seed) => {
  const dice = new Prng(seed);
  const made = { spans: [] as Span[], sums: new Map() as Sums, dice, traceId: '' };
  for (let trace = 0; trace < 60; trace += 1) {
    made.traceId = dice.hex(32);
    serve('web', 2, (BASE_MS + dice.below(8_000)) * 1_000 + dice.below(1_000), made, '');
  }
  const calm = join(made.spans, new Prng(seed), false);
  const byName = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);
  expect([...heard(calm)].sort(byName)).toEqual([...made.sums].sort(byName));
  // Whatever the order and whoever restarts: the same partials, to the last byte.
  const partials = (list: readonly PartialsMessage[]) => list.filter(({ type }) => type === 'partial');
  expect(partials(join(made.spans, new Prng(seed + 100), true))).toEqual(partials(calm));
  // Nor does it matter how full the store is, or who shares a hash there.
  const limits = { traceSpansMax: made.spans.length };
  expect(partials(join(made.spans, new Prng(seed + 200), true, limits))).toEqual(partials(calm));
});

test('a trace beyond the limit is left out, and those that are held stay whole', () => {
  const dice = new Prng(7);
  const made = { spans: [] as Span[], sums: new Map() as Sums, dice, traceId: dice.hex(32) };
  serve('web', 1, BASE_MS * 1_000, made, '');
  const other = { ...made.spans[0]!, traceId: dice.hex(32), service: 'late-comer' };
  const limit = { traceSpansMax: 1 };
  const byName = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);
  expect([...heard(join([...made.spans, other], new Prng(1), true, limit))].sort(byName)).toEqual(
    [...made.sums].sort(byName),
  );
  // There is room again once the first has gone.
  const afterwards = { ...other, endUs: other.endUs + 30_000_000 };
  expect(heard(join([...made.spans, afterwards], new Prng(1), true, limit)).keys()).toContain(
    `self late-comer ${other.name}`,
  );
});

/** A call of web at a second, that payment answers, or nobody. */
function calling(second: number, peer: string, answeredBy: string | null): Span[] {
  const dice = new Prng(100 * second + peer.length + (answeredBy ?? '').length);
  const traceId = dice.hex(32);
  const about = { traceId, instance: '', isError: answeredBy === null };
  const [clientId, serverId] = [dice.hex(16), dice.hex(16)];
  const endUs = (BASE_MS + 1_000 * second) * 1_000;
  const call = { ...about, spanId: clientId, parentId: serverId, service: 'web', name: 'POST', kind: CLIENT, peer };
  const web = { ...about, spanId: serverId, parentId: '', service: 'web', name: 'GET /', kind: SERVER, peer: '' };
  const spans = [
    { ...call, endUs, durationUs: 5_000 },
    { ...web, endUs: endUs + 1_000, durationUs: 7_000 },
  ];
  if (answeredBy === null) return spans;
  const answer = {
    ...about,
    spanId: dice.hex(16),
    parentId: clientId,
    service: answeredBy,
    name: 'POST /pay',
    peer: '',
  };
  return [...spans, { ...answer, kind: SERVER, endUs: endUs - 1_000, durationUs: 3_000 }];
}

test.each(['pay.internal:8080', ''])(
  'a call that nobody answers is laid at the door of who answered before (peer "%s")',
  (peer) => {
    const spans = [...calling(1, peer, 'payment'), ...calling(5, peer, null)];
    for (const restarts of [false, true]) {
      const sums = heard(join(spans, new Prng(3), restarts));
      expect(sums.get('caller payment web')).toEqual({ count: 2, errors: 1, sumUs: 10_000 });
      expect(sums.get('gap payment web')).toEqual({ count: 2, errors: 1, sumUs: 7_000 });
      expect(sums.get('self web POST')).toBeUndefined();
      expect(sums.get('self web GET /')).toMatchObject({ count: 2, errors: 0 });
    }
  },
);

test('where nobody ever answered, or several do, a call that fails is its caller’s own', () => {
  const several = [...calling(1, 'gateway', 'payment'), ...calling(2, 'gateway', 'stock')];
  const sums = heard(
    join([...several, ...calling(6, 'gateway', null), ...calling(6, 'smtp', null)], new Prng(3), false),
  );
  expect(sums.get('self web POST')).toMatchObject({ count: 2, errors: 2 });
  expect(sums.get('gap payment web')).toMatchObject({ count: 1, errors: 0 });
});
