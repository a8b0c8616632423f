import { WireReader } from '@flyball/core';
import { WireWriter } from '@flyball/core';

/**
 * A trace request without some of its spans; everything else stays byte for byte. For the rare request that
 * holds invalid spans among good ones.
 *
 * @param drop - told the index of each span, in the order of `TraceScan`.
 */
export function withoutSpans(bytes: Uint8Array, drop: (span: number) => boolean): Uint8Array {
  const reader = new WireReader('OTLP_MALFORMED');
  reader.reset(bytes);
  let span = 0;

  /** Copies a message; `levels` are the fields to descend into, the last of which may be dropped. */
  const copy = (end: number, levels: readonly number[]): Uint8Array => {
    const writer = new WireWriter();
    const [field, ...below] = levels;
    for (let start = reader.at; reader.next(end); start = reader.at) {
      if (reader.field !== field) {
        reader.skip(end);
        writer.raw(bytes.subarray(start, reader.at));
        continue;
      }
      const valueEnd = reader.lengthEnd(end);
      if (below.length > 0) {
        writer.bytes(field, copy(valueEnd, below));
        continue;
      }
      reader.at = valueEnd;
      if (!drop(span)) writer.raw(bytes.subarray(start, valueEnd));
      span += 1;
    }
    return writer.finish();
  };
  // ResourceSpans in the request, ScopeSpans in those, spans in those.
  return copy(bytes.length, [1, 2, 2]);
}
