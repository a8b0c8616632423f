import { RejectedError, strictTextOf, utf8 } from '@flyball/core';
import type { z } from 'zod';

/**
 * A JSON topic of our own. Messages are checked on the way in, not on the way out: types hold there.
 *
 * Reading throws `<topic>_UNREADABLE`, in upper snake case: a message of a later release, which the lane waits for.
 */
export function jsonCodec<Schema extends z.ZodType>(topic: string, schema: Schema) {
  const code = `${topic.toUpperCase().replaceAll(/[^A-Z]/g, '_')}_UNREADABLE`;
  return {
    encode(body: z.infer<Schema>): Uint8Array {
      return utf8(JSON.stringify(body));
    },
    decode({ value }: { readonly value: Uint8Array }): z.infer<Schema> {
      try {
        return schema.parse(JSON.parse(strictTextOf(value) ?? ''));
      } catch (cause) {
        throw new RejectedError(code, `a message of ${topic} cannot be read`, { cause });
      }
    },
  };
}
