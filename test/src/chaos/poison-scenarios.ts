import { EMPTY_BYTES, type Prng, WireWriter } from '@flyball/core';
import { gzipSync } from 'node:zlib';
import { chaosRequest } from './chaos-request.ts';
import { type ChaosStage, SENDER_ENVIRONMENT } from './chaos-stage.ts';
import type { Scenario } from './scenario.ts';
import { type Answered, Stranger } from './strangers.ts';

const SPANS = 3;
/** Each said again with its resource would be gigabytes. */
const MANY_SPANS = 2_000;
const ROUNDS = 4;
const LONG_NAMES = 120;
const NAN = 0x7ff8_0000_0000_0000n;
const INFINITY = 0x7ff0_0000_0000_0000n;
const KIB = 1_024;
const NO_UTF8: Uint8Array = new Uint8Array([0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80]);
const KEY: Uint8Array = new Uint8Array([0x6b]);
/** Field of a span: its name. */
const NAME = 5;

/** A request, and what its answer must look like. */
interface Blow {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly wanted: RegExp;
  /** Over HTTP alone, with headers of its own. */
  readonly headers?: Readonly<Record<string, string>>;
}

const MALFORMED = /^(gRPC INVALID_ARGUMENT|HTTP 400) .*OTLP_MALFORMED/s;
const TOO_LARGE = /^(gRPC INVALID_ARGUMENT|HTTP 400) .*ITEM_TOO_LARGE/s;
/** The other spans of the request are stored. */
const ONE_TOO_LARGE = /^OK .*1 larger than a record/s;
const STORED = /^OK $/;

/** An attribute with a serialised AnyValue; of a span, where `field` is not that of a resource. */
function attribute(value: Uint8Array, { key = KEY, field = 9 } = {}): Uint8Array {
  return new WireWriter().bytes(field, new WireWriter().bytes(1, key).bytes(2, value).finish()).finish();
}

const textValue = (bytes: Uint8Array) => new WireWriter().bytes(1, bytes).finish();
const doubleValue = (bits: bigint) => new WireWriter().fixed64(4, bits).finish();

/** An AnyValue that is an array of an AnyValue that is an array, and so on; written from its inside out. */
function nested(levels: number): Uint8Array {
  const bytes = Buffer.alloc(levels * 12);
  let at = bytes.length;
  const wrap = (tag: number) => {
    let rest = bytes.length - at;
    const length: number[] = [];
    do {
      length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
      rest >>>= 7;
    } while (rest > 0);
    at -= length.length + 1;
    bytes.set([tag, ...length], at);
  };
  for (let level = 0; level < levels; level += 1) {
    wrap(0x0a); // ArrayValue.values
    wrap(0x2a); // AnyValue.array_value
  }
  return bytes.subarray(at);
}

/** All kinds of poison, each drawn anew. */
function blows(dice: Prng): readonly Blow[] {
  const about = { id: '', environment: SENDER_ENVIRONMENT, nowMs: Date.now() };
  const with_ = (service: string, more: Uint8Array = EMPTY_BYTES) =>
    chaosRequest({ ...about, service, spans: SPANS, more }, dice);
  const under = (sizeBytes: number) => {
    const resourceMore = attribute(textValue(new Uint8Array(sizeBytes)), { field: 1 });
    return chaosRequest({ ...about, service: 'poison-heavy', spans: MANY_SPANS, resourceMore }, dice);
  };
  const whole = with_('poison-cut');
  const noise = Uint8Array.from({ length: 1 + dice.below(2_000) }, () => dice.below(256));
  const plain = { 'content-type': 'text/plain' };
  const json = { 'content-type': 'application/json' };
  const zip = { 'content-encoding': 'gzip' };
  const zipped = gzipSync(whole);
  return [
    // Bytes may by chance be a request of unknown fields; then there is nothing in it.
    { name: 'random', bytes: noise, wanted: new RegExp(`${MALFORMED.source}|${STORED.source}`, 's') },
    { name: 'cut', bytes: whole.subarray(0, 1 + dice.below(whole.length - 1)), wanted: MALFORMED },
    { name: 'deep', bytes: with_('poison-deep', attribute(nested(2_000))), wanted: STORED },
    { name: 'bottomless', bytes: with_('poison-deep', attribute(nested(1_000_000))), wanted: ONE_TOO_LARGE },
    { name: 'NaN', bytes: with_('poison-number', attribute(doubleValue(NAN))), wanted: STORED },
    { name: 'Infinity', bytes: with_('poison-number', attribute(doubleValue(INFINITY))), wanted: STORED },
    {
      name: 'no UTF-8, attribute',
      bytes: with_('poison-text', attribute(textValue(NO_UTF8), { key: NO_UTF8 })),
      wanted: STORED,
    },
    { name: 'no UTF-8, name', bytes: with_('poison-text', textField(NAME, NO_UTF8)), wanted: STORED },
    { name: '64 KiB', bytes: with_('poison-long', attribute(textValue(new Uint8Array(64 * KIB)))), wanted: STORED },
    { name: '1 MiB', bytes: with_('poison-long', attribute(textValue(new Uint8Array(KIB * KIB)))), wanted: STORED },
    {
      name: '3 MiB',
      bytes: with_('poison-long', attribute(textValue(new Uint8Array(3 * KIB * KIB)))),
      wanted: ONE_TOO_LARGE,
    },
    { name: 'heavy resource', bytes: under(1.2 * KIB * KIB), wanted: STORED },
    { name: 'too heavy resource', bytes: under(3 * KIB * KIB), wanted: TOO_LARGE },
    { name: 'empty JSON', bytes: Buffer.from('{"resourceSpans":[]}'), headers: json, wanted: STORED },
    { name: 'cut JSON', bytes: Buffer.from('{"resourceSpans":[{'), headers: json, wanted: /^HTTP 400 .*not JSON/s },
    {
      name: 'JSON that is no list',
      bytes: Buffer.from('{"resourceSpans":7}'),
      headers: json,
      wanted: /^HTTP 400 .*no list/s,
    },
    { name: 'text', bytes: Buffer.from('hello'), headers: plain, wanted: /^HTTP 415 .*x-protobuf/s },
    { name: 'no gzip', bytes: whole, headers: zip, wanted: /^HTTP 400 .*gzip/s },
    { name: 'cut gzip', bytes: zipped.subarray(0, -9), headers: zip, wanted: /^HTTP 400 .*gzip/s },
    { name: 'bomb', bytes: gzipSync(Buffer.alloc(70 * KIB * KIB)), headers: zip, wanted: /^HTTP 413 /s },
  ];
}

const textField = (field: number, bytes: Uint8Array) => new WireWriter().bytes(field, bytes).finish();

async function poison(stage: ChaosStage): Promise<void> {
  const { dice, findings } = stage;
  const stranger = new Stranger(stage);
  const wrong: string[] = [];
  const judge = (name: string, wanted: RegExp, { status, words }: Answered) => {
    if (!wanted.test(`${status} ${words}`)) wrong.push(`${name}: ${status} ${words.slice(0, 100)}`);
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { name, bytes, headers, wanted } of blows(dice)) {
      judge(name, wanted, await (headers === undefined ? stranger.bytes(bytes) : stranger.post(bytes, headers)));
      await stage.pass(10, 200);
    }
  }
  // All in one window: what it says of itself must still fit a record of the log.
  const names = Array.from({ length: LONG_NAMES }, (_, index) => Buffer.alloc(64 * KIB, `GET /${index} `));
  const nowMs = Date.now();
  const sends = names.map((name) => {
    return stranger.send({ service: 'poison-names', spans: 1, nowMs, spreadMs: 1, more: textField(NAME, name) });
  });
  for (const answer of await Promise.all(sends)) judge('long name', STORED, answer);
  stranger.close();
  findings.none(wrong, 'poison was not answered as it must be');
  stage.tell(`${ROUNDS} rounds of poison, ${LONG_NAMES} long names`);
}

/** What a sender may hand to ingest. */
export const POISON_SCENARIOS: readonly Scenario[] = [
  {
    name: 'poison-otlp',
    title:
      'a sender beside an honest one hands in noise, cut, deep, huge and undecodable requests over both transports',
    run: async (stage) => {
      await stage.pass(2_000, 4_000);
      await poison(stage);
      await stage.pass(3_000, 5_000);
    },
    check: ({ sender, findings }) => {
      const lost = sender.ledger.entries.filter(({ acked, names }) => acked === 0 && !names.includes('OTLP_MALFORMED'));
      findings.none(
        lost.map(({ id, names }) => `${id} (${names.join(' ')})`),
        'honest requests were not acked',
      );
    },
  },
];
