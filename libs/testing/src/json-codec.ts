import { RejectedError, textOf, utf8 } from '@flyball/core';
import type { Codec } from '@flyball/runtime';

/** Bodies as JSON, unchecked: for stages that exist in tests only. */
export function jsonCodec<Body>(): Codec<Body> {
  return {
    encode: (body) => utf8(JSON.stringify(body)),
    decode: ({ value }) => {
      try {
        return JSON.parse(textOf(value)) as Body;
      } catch (cause) {
        throw new RejectedError('JSON_INVALID', 'not JSON', { cause });
      }
    },
  };
}
