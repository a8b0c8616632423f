import { Prng, WireWriter } from '@flyball/core';

const ATTRIBUTES = 12;
const RESOURCE_ATTRIBUTES = 13;

/**
 * A realistic trace request of one service, one of `operations`: spans of about 548 bytes with 12 attributes, 3 % of them failed with an exception
 * event, under one resource of 13 attributes.
 *
 * @param endMs - when its spans end, ms.
 */
export function realisticRequest(spans: number, endMs: number, seed = 1, operations = 10): Uint8Array {
  const dice = new Prng(seed);
  const attribute = (key: string, value: string) =>
    new WireWriter().text(1, key).bytes(2, new WireWriter().text(1, value).finish()).finish();
  const resource = new WireWriter().bytes(1, attribute('service.name', `service-${seed}`));
  resource.bytes(1, attribute('service.version', 'v1.2.3'));
  for (let index = 2; index < RESOURCE_ATTRIBUTES; index += 1) {
    resource.bytes(1, attribute(`k8s.attribute.${index}`, dice.hex(20)));
  }
  const scope = new WireWriter();
  for (let index = 0; index < spans; index += 1) {
    const isError = dice.chance(0.03);
    const endNs = BigInt(endMs) * 1_000_000n;
    const span = new WireWriter().bytes(1, hexBytes(dice.hex(32))).bytes(2, hexBytes(dice.hex(16)));
    span
      .bytes(4, hexBytes(dice.hex(16)))
      .text(5, `GET /api/v1/resource-${dice.below(operations)}`)
      .varint(6, 2);
    span.fixed64(7, endNs - BigInt(1 + dice.below(200_000)) * 1_000n).fixed64(8, endNs);
    for (let each = 0; each < ATTRIBUTES; each += 1) span.bytes(9, attribute(`http.attribute.${each}`, dice.hex(12)));
    if (isError) span.bytes(11, new WireWriter().fixed64(1, endNs).text(2, 'exception').finish());
    if (isError) span.bytes(15, new WireWriter().varint(3, 2).finish());
    scope.bytes(2, span.finish());
  }
  return new WireWriter()
    .bytes(1, new WireWriter().bytes(1, resource.finish()).bytes(2, scope.finish()).finish())
    .finish();
}

function hexBytes(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}
