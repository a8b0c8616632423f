import { concatBytes, utf8, WireWriter } from '@flyball/core';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { decodeExportResponse, encodeExportResponse } from './export-response.ts';
import { SPAN_FLAW, TraceScan } from './trace-scan.ts';
import { withoutItems } from './without-items.ts';

// Goal: what a user's SDK sends is counted as it was meant, and what is not a request is refused, never misread.
// Method: random requests are encoded by protobufjs and decoded by both; bytes are then cut, shuffled and spoiled.

const root = protobuf.parse(readFileSync(new URL('../testdata/trace.proto', import.meta.url), 'utf8')).root;
const Request = root.lookupType('ExportTraceServiceRequest');
const Response = root.lookupType('ExportTraceServiceResponse');

const id = (size: number) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.uint8Array({ minLength: size, maxLength: size }) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: size + 2 }),
    },
    { weight: 1, arbitrary: fc.constant(new Uint8Array(size)) },
  );
const nanos = fc.bigInt({ min: 1_600_000_000_000_000_000n, max: 1_900_000_000_000_000_000n });
const anyValue = fc.oneof(
  fc.string().map((stringValue) => ({ stringValue })),
  fc.integer().map((intValue) => ({ intValue })),
  fc.boolean().map((boolValue) => ({ boolValue })),
  fc.array(fc.string()).map((list) => ({ arrayValue: { values: list.map((stringValue) => ({ stringValue })) } })),
);
const key = fc.constantFrom(
  'service.name',
  'service.version',
  'deployment.environment.name',
  'deployment.environment',
  'service.instance.id',
  'k8s.pod.name',
  'peer.service',
  'server.address',
  'net.peer.name',
  'host.name',
  '__proto__',
  'constructor',
);
const attributes = fc.array(fc.record({ key, value: anyValue }), { maxLength: 8 });
const span = fc.record({
  traceId: id(16),
  spanId: id(8),
  parentSpanId: fc.oneof(fc.constant(new Uint8Array(0)), id(8)),
  name: fc.string(),
  kind: fc.integer({ min: 0, max: 7 }),
  startTimeUnixNano: fc.oneof({ weight: 9, arbitrary: nanos }, { weight: 1, arbitrary: fc.constant(0n) }),
  durationNs: fc.bigInt({ min: -2_000_000n, max: 90_000_000_000n }),
  attributes,
  status: fc.option(fc.record({ code: fc.integer({ min: 0, max: 2 }), message: fc.string() }), { nil: undefined }),
  events: fc.array(fc.record({ name: fc.string(), attributes }), { maxLength: 2 }),
  flags: fc.nat(),
});
const request = fc.array(
  fc.record({
    resource: fc.option(fc.record({ attributes }), { nil: undefined }),
    scopeSpans: fc.array(fc.record({ spans: fc.array(span, { maxLength: 5 }) }), { maxLength: 3 }),
  }),
  { maxLength: 4 },
);

type Plain = ReturnType<typeof plain>;
/** JSON-like form for protobufjs: 64-bit numbers as strings. */
function plain(resourceSpans: typeof request extends fc.Arbitrary<infer T> ? T : never) {
  return {
    resourceSpans: resourceSpans.map(({ resource, scopeSpans }) => ({
      ...(resource && { resource }),
      scopeSpans: scopeSpans.map(({ spans }) => ({
        spans: spans.map(({ durationNs, startTimeUnixNano, status, ...rest }) => ({
          ...rest,
          ...(status && { status }),
          startTimeUnixNano: String(startTimeUnixNano),
          endTimeUnixNano: String(startTimeUnixNano + (durationNs < -startTimeUnixNano ? 0n : durationNs)),
        })),
      })),
    })),
  };
}
const encode = (message: Plain) => new Uint8Array(Request.encode(Request.fromObject(message)).finish());

/** What the columns must hold, from protobufjs's own decode. */
function oracle(bytes: Uint8Array) {
  const decoded = Request.toObject(Request.decode(bytes), {
    longs: String,
    defaults: true,
    bytes: Array,
  }) as unknown as {
    resourceSpans: {
      resource: { attributes: { key: string; value: { stringValue?: string } }[] } | null;
      scopeSpans: { spans: Record<string, never>[] }[];
    }[];
  };
  return decoded.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const of = (name: string, among = resource?.attributes) =>
      among
        ?.filter(
          (each) =>
            each.key === name &&
            each.value?.stringValue !== undefined &&
            'stringValue' in each.value &&
            each.value.stringValue !== null,
        )
        .at(-1)?.value.stringValue ?? '';
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((raw) => {
        const each = raw as unknown as {
          name: string;
          kind: number;
          traceId: number[];
          spanId: number[];
          parentSpanId: number[];
          startTimeUnixNano: string;
          endTimeUnixNano: string;
          status: { code: number } | null;
          attributes: { key: string; value: { stringValue?: string } }[];
        };
        const peerKeys = ['peer.service', 'server.address', 'net.peer.name'];
        const durationNs = BigInt(each.endTimeUnixNano) - BigInt(each.startTimeUnixNano);
        const isClamped = durationNs < 0n || each.startTimeUnixNano === '0';
        const isBad = (bytesOf: number[], size: number) =>
          bytesOf.length !== size || bytesOf.every((byte) => byte === 0);
        return {
          service: of('service.name'),
          environment: of('deployment.environment.name') || of('deployment.environment'),
          version: of('service.version'),
          instance: of('service.instance.id') || of('k8s.pod.name'),
          name: each.name,
          kind: each.kind > 5 ? 0 : each.kind,
          isError: each.status?.code === 2 ? 1 : 0,
          isRoot: isBad(each.parentSpanId, 8) ? 1 : 0,
          flaw: isBad(each.traceId, 16) ? SPAN_FLAW.traceId : isBad(each.spanId, 8) ? SPAN_FLAW.spanId : SPAN_FLAW.none,
          endMs: Number(BigInt(each.endTimeUnixNano) / 1_000_000n),
          durationUs: isClamped ? 0 : Number(durationNs / 1_000n),
          isClamped: isClamped ? 1 : 0,
          peer:
            each.kind === 3
              ? (peerKeys.map((name) => of(name, each.attributes)).find((text) => text !== '') ?? '')
              : '',
        };
      }),
    );
  });
}
function columns(scan: TraceScan) {
  return Array.from({ length: scan.count }, (_, at) => ({
    ...scan.resources[scan.resource[at]!]!,
    name: scan.nameOf(at),
    kind: scan.kind[at],
    isError: scan.isError[at],
    isRoot: scan.isRoot[at],
    flaw: scan.flaw[at],
    endMs: scan.endMs[at],
    durationUs: scan.durationUs[at],
    isClamped: scan.isClamped[at],
    peer: scan.peerOf(at),
  }));
}

describe('the scanner', () => {
  const scan = new TraceScan(7);

  test('reads what a full decode reads, also of concatenated requests', () => {
    fc.assert(
      fc.property(request, request, (a, b) => {
        const bytes = concatBytes([encode(plain(a)), encode(plain(b))]);
        scan.read(bytes);
        expect(columns(scan)).toEqual(oracle(bytes));
      }),
      { numRuns: 300 },
    );
  });

  test('does not care where a field stands: the resource after its spans, twice, among unknown fields', () => {
    const attribute = (name: string, value: string) =>
      new WireWriter()
        .bytes(1, new WireWriter().text(1, name).bytes(2, new WireWriter().text(1, value).finish()).finish())
        .finish();
    const spanBytes = new WireWriter()
      .varint(6, 2)
      .text(5, 'old')
      .fixed32(99, 7)
      .text(5, 'new')
      .bytes(1, new Uint8Array(16).fill(1))
      .bytes(2, new Uint8Array(8).fill(1))
      .fixed64(8, 2_000_000n)
      .fixed64(7, 1_000_000n)
      .finish();
    const scope = new WireWriter().text(98, 'unknown').bytes(2, spanBytes).finish();
    const bytes = new WireWriter()
      .bytes(
        1,
        new WireWriter()
          .bytes(2, scope)
          .bytes(1, attribute('service.name', 'late'))
          .double(97, 1)
          .bytes(1, attribute('service.version', 'v2'))
          .finish(),
      )
      .finish();
    scan.read(bytes);
    expect(columns(scan)).toMatchObject([
      { service: 'late', version: 'v2', name: 'new', kind: 2, endMs: 2, durationUs: 1_000 },
    ]);
    expect(columns(scan)).toEqual(oracle(bytes));
  });

  test('refuses cut bytes with their offset, or reads the whole fields before the cut; it never reads on', () => {
    fc.assert(
      fc.property(request, fc.nat(), (a, cut) => {
        const whole = encode(plain(a));
        const bytes = whole.subarray(0, whole.length === 0 ? 0 : cut % whole.length);
        let refused: unknown;
        try {
          scan.read(bytes);
        } catch (error) {
          refused = error;
        }
        if (refused === undefined) expect(columns(scan)).toEqual(oracle(bytes));
        else expect(refused).toMatchObject({ code: 'OTLP_MALFORMED', kind: 'rejected' });
      }),
      { numRuns: 300 },
    );
  });

  test('survives any bytes: it reads them or refuses them by name, in bounded time and stack', () => {
    const spoiled = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(request, fc.nat(), fc.nat(255)).map(([a, at, byte]) => {
        const bytes = encode(plain(a));
        if (bytes.length > 0) bytes[at % bytes.length] = byte;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(spoiled, (bytes) => {
        try {
          scan.read(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: 'OTLP_MALFORMED' });
        }
      }),
      { numRuns: 1_000 },
    );
    let nested: Uint8Array = utf8('x');
    for (let depth = 0; depth < 10_000; depth += 1)
      nested = new WireWriter().bytes(6, new WireWriter().bytes(1, nested).finish()).finish().slice(0, 60_000);
    expect(() =>
      scan.read(
        new WireWriter()
          .bytes(1, new WireWriter().bytes(1, new WireWriter().bytes(1, nested).finish()).finish())
          .finish(),
      ),
    ).toThrow(expect.objectContaining({ code: 'OTLP_MALFORMED' }));
  });

  test('is not confused by more names than it remembers', () => {
    const named = (from: number) =>
      encode({
        resourceSpans: [
          {
            resource: { attributes: [] },
            scopeSpans: [
              {
                spans: Array.from({ length: 50_000 }, (_, index) => ({
                  name: `n${from + index}`,
                  traceId: new Uint8Array(16).fill(1),
                  spanId: new Uint8Array(8).fill(1),
                  parentSpanId: new Uint8Array(0),
                  kind: 2,
                  attributes: [],
                  events: [],
                  flags: 0,
                  startTimeUnixNano: '1',
                  endTimeUnixNano: '2',
                })),
              },
            ],
          },
        ],
      });
    for (const from of [0, 50_000, 100_000]) {
      scan.read(named(from));
      expect([scan.count, scan.nameOf(0), scan.nameOf(49_999)]).toEqual([50_000, `n${from}`, `n${from + 49_999}`]);
    }
  });
});

test('spans can be taken out, and nothing else changes', () => {
  fc.assert(
    fc.property(request, fc.func(fc.boolean()), (a, drop) => {
      const bytes = encode(plain(a));
      const scan = new TraceScan();
      scan.read(bytes);
      const before = columns(scan);
      scan.read(withoutItems(bytes, 'traces', drop));
      expect(columns(scan)).toEqual(before.filter((_, index) => !drop(index)));
      expect(withoutItems(bytes, 'traces', () => false)).toEqual(bytes);
    }),
    { numRuns: 200 },
  );
});

test('the answer says nothing on full success, and how many were rejected otherwise', () => {
  expect(encodeExportResponse({ rejected: 0, message: '' })).toEqual(new Uint8Array(0));
  const bytes = encodeExportResponse({ rejected: 300, message: 'why' });
  expect(Response.toObject(Response.decode(bytes), { longs: Number })).toEqual({
    partialSuccess: { rejectedSpans: 300, errorMessage: 'why' },
  });
  expect(decodeExportResponse(bytes)).toEqual({ rejected: 300, message: 'why' });
});
