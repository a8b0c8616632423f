import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { type Objects, refuseObjectName } from '@flyball/runtime';
import { nameOfError, objectsUnavailable } from './s3-errors.ts';

/** A larger value goes in parts of this size, two at a time. S3 takes no part below 5 MiB but the last. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
/** How often a conditional put is tried when the store says that another one is under way. */
const CONFLICTS_MAX = 5;

/** Where in a store, and how. */
export interface S3Place {
  readonly bucket: string;
  /** Put before every name: '' or text that ends with a slash. */
  readonly prefix: string;
  /** Names per page of a listing. */
  readonly pageSize: number;
}

/** {@link Objects} in a bucket of a store that speaks S3. Every value carries a CRC-32, checked at both ends. */
export class S3Objects implements Objects {
  readonly #client: S3Client;
  readonly #once: S3Client;
  readonly #place: S3Place;

  /**
   * @param client - tries again by itself.
   * @param once - the same store, never tries again: a repeated conditional put would take its own first try for
   * somebody else's.
   */
  constructor(client: S3Client, once: S3Client, place: S3Place) {
    this.#client = client;
    this.#once = once;
    this.#place = place;
  }

  async put(name: string, value: Uint8Array): Promise<void> {
    const Key = this.#keyOf(name);
    await this.#guard(name, () => this.#upload(this.#client, { Key, Body: value }));
  }

  async create(name: string, value: Uint8Array): Promise<boolean> {
    const Key = this.#keyOf(name);
    for (let tried = 1; ; tried += 1) {
      try {
        await this.#upload(this.#once, { Key, Body: value, IfNoneMatch: '*' });
        return true;
      } catch (error) {
        const code = nameOfError(error);
        if (code === 'PreconditionFailed') return false;
        const isContended = code === 'ConditionalRequestConflict' && tried < CONFLICTS_MAX;
        if (!isContended) throw objectsUnavailable(error, { name, bucket: this.#place.bucket });
      }
    }
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const at = { Bucket: this.#place.bucket, Key: this.#keyOf(name) };
    return this.#guard(name, async () => {
      try {
        const { Body } = await this.#client.send(new GetObjectCommand(at));
        return await Body?.transformToByteArray();
      } catch (error) {
        if (nameOfError(error) === 'NoSuchKey') return undefined;
        throw error;
      }
    });
  }

  async list(prefix: string): Promise<readonly string[]> {
    const { bucket, prefix: root, pageSize } = this.#place;
    const names: string[] = [];
    let token: string | undefined;
    do {
      const more = token === undefined ? {} : { ContinuationToken: token };
      const page = new ListObjectsV2Command({ Bucket: bucket, Prefix: root + prefix, MaxKeys: pageSize, ...more });
      const { Contents = [], NextContinuationToken } = await this.#guard(prefix, () => this.#client.send(page));
      names.push(...Contents.map(({ Key = '' }) => Key.slice(root.length)));
      token = NextContinuationToken;
    } while (token !== undefined);
    // A store sorts by UTF-8 bytes, or as its folders come.
    return names.sort();
  }

  async delete(name: string): Promise<void> {
    const at = { Bucket: this.#place.bucket, Key: this.#keyOf(name) };
    await this.#guard(name, () => this.#client.send(new DeleteObjectCommand(at)));
  }

  #keyOf(name: string): string {
    refuseObjectName(name);
    return this.#place.prefix + name;
  }

  /** One request, or parts where the value is large; parts of a failed upload are removed. */
  async #upload(client: S3Client, of: { Key: string; Body: Uint8Array; IfNoneMatch?: string }): Promise<void> {
    const params = { Bucket: this.#place.bucket, ChecksumAlgorithm: 'CRC32' as const, ...of };
    await new Upload({ client, params, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE }).done();
  }

  async #guard<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw objectsUnavailable(error, { name, bucket: this.#place.bucket });
    }
  }
}
