export { concatBytes, EMPTY_BYTES, sameBytes, strictTextOf, textOf, utf8 } from './bytes.ts';
export { AppError, assert, BugError, codeOf, RejectedError, UnavailableError, unreachable } from './errors.ts';
export type { ErrorKind, ErrorOptions } from './errors.ts';
export { contentId, crc32, fnv1a, laneOf, sha256Hex } from './hash.ts';
export { Prng } from './prng.ts';
export { decodeSnapshot, encodeSnapshot } from './snapshot.ts';
export { HOUR_MS, MINUTE_MS, rfc3339, SECOND_MS, slotStartMs } from './time.ts';
export { WIRE, WireReader } from './wire-reader.ts';
export { WireWriter } from './wire-writer.ts';
