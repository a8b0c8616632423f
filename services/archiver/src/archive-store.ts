import { AppError, RejectedError, UnavailableError } from '@flyball/core';
import type { Objects, StoredRecord } from '@flyball/runtime';
import { createHash } from 'node:crypto';
import { type ArchivedObject, decodeManifest, encodeManifest, type Manifest } from './manifest.ts';
import {
  deletedFolder,
  deletedName,
  type DeletedRef,
  deletedRef,
  manifestFolder,
  manifestName,
  type ManifestRef,
  manifestRef,
  objectName,
  type Place,
} from './names.ts';
import { layOut, pack, readBack, unpack } from './segment-format.ts';
import { tenantOf } from './tenants.ts';

/** A segment to be archived. */
export interface Segment {
  readonly place: Place;
  /** How many partitions the topic has. */
  readonly partitions: number;
  readonly records: readonly StoredRecord[];
  /** See {@link ManifestRef}. */
  readonly untilMs: number;
}

/** The archive of all partitions in an object store. Objects are immutable: their names hold their content's digest. */
export class ArchiveStore {
  readonly #objects: Objects;
  readonly #residency: Readonly<Record<string, string>>;

  /** @param residency - prefix of a tenant's objects, by tenant. Manifests, which hold no content, have none. */
  constructor(objects: Objects, residency: Readonly<Record<string, string>> = {}) {
    this.#objects = objects;
    this.#residency = residency;
  }

  /**
   * Writes a segment: its objects, then the manifest that makes them count. Each is read back before the next step.
   *
   * @throws {UnavailableError} `OBJECTS_UNAVAILABLE`, or `ARCHIVE_UNVERIFIED` when the store gives back something else. Nothing
   * counts as archived; do it again.
   */
  async write({ place, partitions, records, untilMs }: Segment): Promise<Manifest> {
    const [firstOffset, lastOffset] = [records[0]!.offset, records.at(-1)!.offset];
    const objects: ArchivedObject[] = [];
    for (const [tenant, own] of byTenant(place.topic, records)) {
      objects.push(...(await this.#writeTenant(place, tenant, own, { firstOffset, lastOffset })));
    }
    const times = records.map(({ appendedAtMs }) => appendedAtMs);
    const [minAtMs, maxAtMs] = [times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))];
    const manifest: Manifest = {
      ...{ version: 1, topic: place.topic, topicId: place.topicId, partition: place.partition, partitions },
      ...{ firstOffset, lastOffset, count: records.length, minAtMs, maxAtMs },
      untilMs: Math.max(untilMs, maxAtMs),
      valueBytes: records.reduce((sum, { value }) => sum + value.length, 0),
      objects,
    };
    const { bytes, sha8 } = encodeManifest(manifest);
    await this.#putVerified(manifestName(place, { ...manifest, sha8 }), bytes);
    return manifest;
  }

  /** Manifests of a partition, or of all partitions of a topic, in the order of their names: by partition and first offset. */
  async manifests(topic: string, of?: Pick<Place, 'topicId' | 'partition'>): Promise<readonly ManifestRef[]> {
    const names = await this.#objects.list(manifestFolder(topic, of));
    return names.map(manifestRef).filter((ref) => ref !== undefined);
  }

  /** Reads a manifest. @throws {RejectedError} `ARCHIVE_CORRUPT`, `ARCHIVE_MISSING` */
  async manifest(ref: ManifestRef): Promise<Manifest> {
    return decodeManifest(await this.#get(ref.name), ref);
  }

  /**
   * Makes sure that a segment is there, whole and unchanged.
   *
   * @throws {RejectedError} `ARCHIVE_CORRUPT`, `ARCHIVE_MISSING`; `detail.name` is the object's.
   */
  async verify(ref: ManifestRef): Promise<Manifest> {
    const manifest = await this.manifest(ref);
    for (const object of manifest.objects) await this.#getVerified(object);
    return manifest;
  }

  /** Records of a segment, as the log had them. @throws {RejectedError} `ARCHIVE_CORRUPT`, `ARCHIVE_MISSING` */
  async records(manifest: Manifest): Promise<readonly StoredRecord[]> {
    const found: StoredRecord[] = [];
    for (const object of manifest.objects) {
      if (object.kind !== 'records') continue;
      const bodies = manifest.objects.find(({ kind, tenant }) => kind === 'bodies' && tenant === object.tenant);
      const plain = {
        records: await unpack(await this.#getVerified(object), object.plainBytes),
        bodies:
          bodies === undefined ? new Uint8Array(0) : await unpack(await this.#getVerified(bodies), bodies.plainBytes),
      };
      for (const record of readBack(plain)) found.push(record);
    }
    found.sort((a, b) => a.offset - b.offset);
    const isWhole = found.every(({ offset }, index) => offset === manifest.firstOffset + index);
    if (!isWhole || found.length !== manifest.count) {
      const detail = { topic: manifest.topic, partition: manifest.partition, firstOffset: manifest.firstOffset };
      throw new RejectedError('ARCHIVE_CORRUPT', 'a segment does not hold its records', { detail });
    }
    return found;
  }

  /** Takes a manifest back: what it lists does not count as archived any more. */
  async disown({ name }: ManifestRef): Promise<void> {
    await this.#objects.delete(name);
  }

  /** How far the archive was deleted, newest last, per partition in the order of their names. */
  async deleted(topic: string, of?: Pick<Place, 'topicId' | 'partition'>): Promise<readonly DeletedRef[]> {
    const names = await this.#objects.list(deletedFolder(topic, of));
    return names.map(deletedRef).filter((ref) => ref !== undefined);
  }

  /** Deletes a segment. It is on record before anything is gone, so that a reader knows what it misses. */
  async delete(ref: ManifestRef, manifest: Manifest): Promise<void> {
    const { topicId, partition, maxAtMs, lastOffset } = manifest;
    const before = await this.deleted(manifest.topic, { topicId, partition });
    const until = { beforeOffset: lastOffset + 1, atMs: maxAtMs };
    const mark = deletedName(manifest, until);
    await this.#putVerified(mark, new TextEncoder().encode(`${JSON.stringify({ version: 1, ...until })}\n`));
    for (const { name } of manifest.objects) await this.#objects.delete(name);
    await this.#objects.delete(ref.name);
    for (const { name } of before) if (name < mark) await this.#objects.delete(name);
  }

  async #writeTenant(
    place: Place,
    tenant: string,
    records: readonly StoredRecord[],
    range: { readonly firstOffset: number; readonly lastOffset: number },
  ): Promise<ArchivedObject[]> {
    const plain = layOut(records);
    const written: ArchivedObject[] = [];
    const write = async (kind: ArchivedObject['kind'], content: Uint8Array, count: number) => {
      const packed = await pack(content);
      const sha256 = sha256Of(packed);
      const extension = extensionOf(kind, place.topic);
      const prefix = this.#residency[tenant] ?? '';
      const name = objectName({ ...place, tenant, prefix }, range, { sha256, extension });
      await this.#putVerified(name, packed);
      const sizes = { sizeBytes: packed.length, plainBytes: content.length };
      written.push({ name, tenant, kind, sha256, ...sizes, count });
    };
    await write('records', plain.records, records.length);
    if (plain.bodyCount > 0) await write('bodies', plain.bodies, plain.bodyCount);
    return written;
  }

  /** What is there already and is right stays untouched: a write that goes wrong must not spoil what another has verified. */
  async #putVerified(name: string, bytes: Uint8Array): Promise<void> {
    const isRight = (stored: Uint8Array | undefined) => stored !== undefined && Buffer.compare(stored, bytes) === 0;
    const before = await this.#objects.get(name);
    if (isRight(before)) return;
    if (before === undefined) await this.#objects.create(name, bytes);
    else await this.#objects.put(name, bytes);
    if (isRight(await this.#objects.get(name))) return;
    const hint = 'It is written again; if it lasts, the object store cannot be trusted.';
    throw new UnavailableError('ARCHIVE_UNVERIFIED', 'the object store gives back something else', {
      hint,
      detail: { name },
    });
  }

  async #get(name: string): Promise<Uint8Array> {
    const bytes = await this.#objects.get(name);
    if (bytes !== undefined) return bytes;
    throw new RejectedError('ARCHIVE_MISSING', 'an object of the archive is not there', { detail: { name } });
  }

  async #getVerified({ name, sha256, sizeBytes }: ArchivedObject): Promise<Uint8Array> {
    const bytes = await this.#get(name);
    if (bytes.length === sizeBytes && sha256Of(bytes) === sha256) return bytes;
    throw new RejectedError('ARCHIVE_CORRUPT', 'an object is not what its manifest says', { detail: { name } });
  }
}

/** Whether a part of the archive is lost, in contrast to a store that is away. */
export function isLost(error: unknown): error is AppError {
  return error instanceof AppError && (error.code === 'ARCHIVE_CORRUPT' || error.code === 'ARCHIVE_MISSING');
}

/** Whole sizes of the objects of a segment, bytes. */
export function sizeOf(manifest: Manifest): number {
  return manifest.objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function extensionOf(kind: ArchivedObject['kind'], topic: string): string {
  if (kind === 'records') return 'ndjson.zst';
  return topic.startsWith('otlp_') ? 'otlp.zst' : 'bodies.zst';
}

function byTenant(topic: string, records: readonly StoredRecord[]): ReadonlyMap<string, StoredRecord[]> {
  const tenants = new Map<string, StoredRecord[]>();
  for (const record of records) {
    const tenant = tenantOf(topic, record);
    const own = tenants.get(tenant);
    if (own === undefined) tenants.set(tenant, [record]);
    else own.push(record);
  }
  return tenants;
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
