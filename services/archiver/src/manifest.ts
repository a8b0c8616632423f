import { RejectedError, sha256Hex, textOf, utf8 } from '@flyball/core';
import { z } from 'zod';
import { type ManifestRef, sha8Of } from './names.ts';

/** An object of a segment. */
const ArchivedObject = z.object({
  name: z.string(),
  tenant: z.string(),
  /** `records`: lines of JSON. `bodies`: what is no JSON, each after its length. */
  kind: z.enum(['records', 'bodies']),
  sha256: z.string(),
  sizeBytes: z.int(),
  /** Size when unpacked. */
  plainBytes: z.int(),
  /** How many records, or bodies, it holds. */
  count: z.int(),
});
export type ArchivedObject = z.infer<typeof ArchivedObject>;

/** What a segment of a partition is made of: records `[firstOffset, lastOffset]`, without a hole, over all tenants. */
export const Manifest = z.object({
  version: z.literal(1),
  topic: z.string(),
  topicId: z.string(),
  partition: z.int(),
  /** How many partitions the topic had: a reader learns from any manifest which others must be there. */
  partitions: z.int(),
  firstOffset: z.int(),
  lastOffset: z.int(),
  count: z.int(),
  minAtMs: z.int(),
  maxAtMs: z.int(),
  /** See {@link ManifestRef}. */
  untilMs: z.int(),
  /** Bytes of values in the log. */
  valueBytes: z.int(),
  objects: z.array(ArchivedObject),
});
export type Manifest = z.infer<typeof Manifest>;

/** A manifest as bytes, and the digits that its name carries. */
export function encodeManifest(manifest: Manifest): { readonly bytes: Uint8Array; readonly sha8: string } {
  const bytes = utf8(`${JSON.stringify(manifest, null, 2)}\n`);
  return { bytes, sha8: sha8Of(sha256Hex(bytes)) };
}

/** Reads a manifest. @throws {RejectedError} `ARCHIVE_CORRUPT` when it is not what its name says. */
export function decodeManifest(bytes: Uint8Array, { name, sha8, firstOffset, lastOffset }: ManifestRef): Manifest {
  const corrupt = (cause?: unknown) =>
    new RejectedError('ARCHIVE_CORRUPT', 'a manifest is not what its name says', { cause, detail: { name } });
  if (sha8Of(sha256Hex(bytes)) !== sha8) throw corrupt();
  try {
    const manifest = Manifest.parse(JSON.parse(textOf(bytes)));
    if (manifest.firstOffset !== firstOffset || manifest.lastOffset !== lastOffset) throw corrupt();
    return manifest;
  } catch (error) {
    throw error instanceof RejectedError ? error : corrupt(error);
  }
}
