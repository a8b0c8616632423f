import { Client, credentials } from '@grpc/grpc-js';
import { Prng, WireWriter } from '@flyball/core';
import { realisticRequest } from './requests.ts';

// A child process that sends trace requests over OTLP/gRPC as fast as they are acknowledged, 32 in flight, and prints
// what became of them as one line of JSON. Its CPU is not counted.

const [endpoint = '', seconds = '10', kind = 'realistic', spansMax = 'Infinity'] = process.argv.slice(2);
const IN_FLIGHT = 32;
const SPANS = 100;
const SERVICES = 20;
const client = new Client(endpoint.replace('http://', ''), credentials.createInsecure());
const same = (bytes: Buffer) => bytes;
const counts = { requests: 0, failed: 0, spans: 0 };
let bodies: Buffer[] = [];
let distinct = 0;

/** Requests whose spans end now; made anew each second, so that they are in time. */
function refresh(): void {
  bodies = Array.from({ length: SERVICES }, (_, seed) =>
    Buffer.from(realisticRequest(SPANS, Date.now() - 100, seed + 1)),
  );
}

/** A request whose operations, versions, instances and services were never seen before. */
function distinctRequest(): Buffer {
  const dice = new Prng(distinct);
  const request = new WireWriter();
  const attribute = (key: string, value: string) =>
    new WireWriter().text(1, key).bytes(2, new WireWriter().text(1, value).finish()).finish();
  for (let index = 0; index < SPANS; index += 1) {
    distinct += 1;
    const resource = new WireWriter().bytes(
      1,
      attribute('service.name', distinct % 4 === 0 ? `service-${distinct}` : 'wide'),
    );
    resource
      .bytes(1, attribute('service.version', `v${distinct}`))
      .bytes(1, attribute('service.instance.id', `pod-${distinct}`));
    const endNs = BigInt(Date.now()) * 1_000_000n;
    const id = Uint8Array.from({ length: 16 }, () => 1 + dice.below(255));
    const span = new WireWriter()
      .bytes(1, id)
      .bytes(2, id.subarray(0, 8))
      .text(5, `GET /user/${distinct}`)
      .varint(6, 2);
    span.fixed64(7, endNs - 1_000_000n).fixed64(8, endNs);
    const scope = new WireWriter().bytes(2, span.finish()).finish();
    request.bytes(1, new WireWriter().bytes(1, resource.finish()).bytes(2, scope).finish());
  }
  return Buffer.from(request.finish());
}

function send(body: Buffer): Promise<void> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      same,
      same,
      body,
      (error) => {
        counts.requests += 1;
        if (error === null) counts.spans += SPANS;
        else counts.failed += 1;
        resolve();
      },
    );
  });
}

refresh();
const timer = setInterval(refresh, 1_000);
const endMs = performance.now() + Number(seconds) * 1_000;
await Promise.all(
  Array.from({ length: IN_FLIGHT }, async () => {
    for (let turn = 0; performance.now() < endMs && counts.spans < Number(spansMax); turn += 1) {
      await send(kind === 'distinct' ? distinctRequest() : bodies[turn % SERVICES]!);
    }
  }),
);
clearInterval(timer);
client.close();
process.stdout.write(`${JSON.stringify({ ...counts, distinct })}\n`);
