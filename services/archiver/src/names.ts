import { sha256Hex } from '@flyball/core';

/** Names of objects of the archive. Everything that a reader selects by is in the name of a manifest, so that a listing is enough. */

const MANIFESTS = 'archive/_manifests';
const DELETED = 'archive/_deleted';
const DIGITS = 16;
const SHA_DIGITS = 8;
const PLAIN = /^[A-Za-z0-9][\w.:-]{0,63}$/;
const MANIFEST = /^(\d{16})-(\d{16})-(\d{16})-(\d{16})-([0-9a-f]{8})\.json$/;
const DELETION = /^(\d{16})-(\d{16})\.json$/;

/** A partition of one topic, and of no other of the same name. */
export interface Place {
  readonly topic: string;
  /** Identity of the topic, see `TopicState`. */
  readonly topicId: string;
  readonly partition: number;
}

/** What the name of a manifest says. */
export interface ManifestRef {
  readonly name: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Append time of the earliest record, ms. */
  readonly minAtMs: number;
  /** Every record that was appended before this instant, ms, is in this segment or in an earlier one. */
  readonly untilMs: number;
  /** First digits of the manifest's own SHA-256. */
  readonly sha8: string;
}

/** How far the archive of a partition was deleted. */
export interface DeletedRef {
  readonly name: string;
  /** Records below this offset were deleted … */
  readonly beforeOffset: number;
  /** … and appended at or before this instant, ms. */
  readonly atMs: number;
}

/** Folder of the manifests of a topic, or of one partition. */
export function manifestFolder(topic: string, of?: Pick<Place, 'topicId' | 'partition'>): string {
  return folderOf(MANIFESTS, topic, of);
}

/** Folder of what says how far the archive of a topic, or of one partition, was deleted. */
export function deletedFolder(topic: string, of?: Pick<Place, 'topicId' | 'partition'>): string {
  return folderOf(DELETED, topic, of);
}

/** Name of the manifest of a segment. */
export function manifestName(
  of: Place,
  { firstOffset, lastOffset, minAtMs, untilMs, sha8 }: Omit<ManifestRef, 'name'>,
) {
  const numbers = [firstOffset, lastOffset, minAtMs, untilMs].map(digits).join('-');
  return `${manifestFolder(of.topic, of)}${numbers}-${sha8}.json`;
}

/** Name that says how far the archive of a partition was deleted. */
export function deletedName(of: Place, { beforeOffset, atMs }: Omit<DeletedRef, 'name'>): string {
  return `${deletedFolder(of.topic, of)}${digits(beforeOffset)}-${digits(atMs)}.json`;
}

/** Name of an object with records of a tenant. `prefix` is that of the tenant's residency, or ''. */
export function objectName(
  of: Place & { readonly tenant: string; readonly prefix: string },
  range: { readonly firstOffset: number; readonly lastOffset: number },
  content: { readonly sha256: string; readonly extension: string },
): string {
  const folder = ['archive', segment(of.tenant), of.topic, segment(of.topicId), String(of.partition)].join('/');
  const file = `${digits(range.firstOffset)}-${digits(range.lastOffset)}-${content.sha256.slice(0, SHA_DIGITS)}`;
  return `${of.prefix === '' ? '' : `${of.prefix}/`}${folder}/${file}.${content.extension}`;
}

/** First digits of a SHA-256, as names carry them. */
export function sha8Of(sha256: string): string {
  return sha256.slice(0, SHA_DIGITS);
}

/** Reads the name of a manifest; `undefined` where it is something else. */
export function manifestRef(name: string): ManifestRef | undefined {
  const match = MANIFEST.exec(name.slice(name.lastIndexOf('/') + 1));
  if (match === null) return undefined;
  const [firstOffset, lastOffset, minAtMs, untilMs] = match.slice(1, 5).map(Number) as [number, number, number, number];
  return { name, firstOffset, lastOffset, minAtMs, untilMs, sha8: match[5]! };
}

/** Reads the name that says how far an archive was deleted; `undefined` where it is something else. */
export function deletedRef(name: string): DeletedRef | undefined {
  const match = DELETION.exec(name.slice(name.lastIndexOf('/') + 1));
  return match === null ? undefined : { name, beforeOffset: Number(match[1]), atMs: Number(match[2]) };
}

/** Topic identity, as names carry it, and partition of a name below {@link manifestFolder} or {@link deletedFolder}. */
export function placeOfName(name: string): { readonly topicSegment: string; readonly partition: number } {
  const [topicSegment = '', partition = ''] = name.split('/').slice(-3, -1);
  return { topicSegment, partition: Number(partition) };
}

function folderOf(root: string, topic: string, of?: Pick<Place, 'topicId' | 'partition'>): string {
  return of === undefined ? `${root}/${topic}/` : `${root}/${topic}/${segment(of.topicId)}/${of.partition}/`;
}

/** Text as one part of a name: as it is where that is plain, else a digest of it; manifests hold it whole. */
function segment(text: string): string {
  return PLAIN.test(text) ? text : `_${sha256Hex(text).slice(0, 32)}`;
}

function digits(value: number): string {
  return String(value).padStart(DIGITS, '0');
}
