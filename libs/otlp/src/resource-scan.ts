import type { WireReader } from '@flyball/core';
import { Interner } from './interner.ts';

/** What a resource says of itself; '' where it says nothing. */
export interface ScannedResource {
  /** `service.name`. */
  readonly service: string;
  /** `deployment.environment.name`, else the deprecated `deployment.environment`. */
  readonly environment: string;
  /** `service.version`. */
  readonly version: string;
  /** `service.instance.id`, else `k8s.pod.name`. */
  readonly instance: string;
}

/** Names are forgotten between two requests when there are more than so many, or so many bytes: memory stays bounded. */
const NAMES_MAX = 65_536;
const NAME_BYTES_MAX = 4 * 1024 * 1024;
/** A name or a value that we read is cut after so many bytes: a window holds hundreds, and must fit a record of the log. */
const TEXT_BYTES_MAX = 1_024;
/** Places of the attributes that we read, by key. An old name fills a place only where the new one is missing. */
const RESOURCE_KEYS = new Map([
  ['service.name', 0],
  ['deployment.environment.name', 1],
  ['service.version', 2],
  ['service.instance.id', 3],
  ['deployment.environment', 4],
  ['k8s.pod.name', 5],
]);

/** Field of a span that holds its attributes. */
const SPAN_ATTRIBUTES = 9;
/** What a client span says of whom it calls, best first. Source: OpenTelemetry semantic conventions, "Server, client" and "Peer service". */
const PEER_KEYS = new Map([
  ['peer.service', 0],
  ['server.address', 1],
  ['net.peer.name', 2],
]);

/** Reads resources, and texts that are seen again and again, from the reader of a request. All signals share the form. */
export class ResourceScan {
  readonly #reader: WireReader;
  readonly #names: Interner;
  readonly #keys = new Interner();
  #resourcePlaces: number[] = [];
  #peerPlaces: number[] = [];

  /** @param seed - for the hash of names, see {@link Interner}. */
  constructor(reader: WireReader, seed = 0) {
    this.#reader = reader;
    this.#names = new Interner(seed);
  }

  /** Forgets texts if there are too many; their numbers are then invalid. Call it between requests only. */
  forgetIfFull(): void {
    if (this.#names.size > NAMES_MAX || this.#names.bytes > NAME_BYTES_MAX) this.#names.clear();
  }

  /** Text of a number. */
  text(number: number): string {
    return this.#names.text(number);
  }

  /** Number of the text in `[start, textEnd)`, cut where it is too long, between two characters. */
  intern(start: number, textEnd: number): number {
    const { bytes } = this.#reader;
    let end = Math.min(textEnd, start + TEXT_BYTES_MAX);
    if (end < textEnd) while (end > start && (bytes[end]! & 0xc0) === 0x80) end -= 1;
    return this.#names.intern(bytes, start, end);
  }

  /** Takes a length-delimited field as a text that is likely seen again. */
  textField(end: number): string {
    const textEnd = this.#reader.lengthEnd(end);
    const text = this.text(this.intern(this.#reader.at, textEnd));
    this.#reader.at = textEnd;
    return text;
  }

  /** Reads the resources (field 1) of a ResourceSpans, ResourceMetrics or ResourceLogs that ends at `end`; later ones win. */
  read(end: number): ScannedResource {
    const reader = this.#reader;
    const values = ['', '', '', '', '', ''];
    while (reader.next(end)) {
      if (reader.field === 1) this.#resource(reader.lengthEnd(end), values);
      else reader.skip(end);
    }
    const [service = '', environment = '', version = '', instance = '', oldEnvironment = '', pod = ''] = values;
    return { service, environment: environment || oldEnvironment, version, instance: instance || pod };
  }

  #resource(end: number, values: string[]): void {
    const reader = this.#reader;
    while (reader.next(end)) {
      if (reader.field === 1) this.#attribute(reader.lengthEnd(end), RESOURCE_KEYS, values);
      else reader.skip(end);
    }
  }

  /** Whom a span that ends at `end` says that it calls; '' where it does not. */
  peer(end: number): string {
    const reader = this.#reader;
    const values = ['', '', ''];
    while (reader.next(end)) {
      if (reader.field === SPAN_ATTRIBUTES) this.#attribute(reader.lengthEnd(end), PEER_KEYS, values);
      else reader.skip(end);
    }
    return values.find((value) => value !== '') ?? '';
  }

  /** A KeyValue. Only string values of known keys are kept; the last of a key wins. */
  #attribute(end: number, keys: ReadonlyMap<string, number>, values: string[]): void {
    const reader = this.#reader;
    let place = -1;
    let valueAt = -1;
    let valueEnd = -1;
    while (reader.next(end)) {
      if (reader.field === 1) {
        const keyEnd = reader.lengthEnd(end);
        place = this.#placeOf(reader.at, keyEnd, keys);
        reader.at = keyEnd;
      } else if (reader.field === 2) {
        valueEnd = reader.lengthEnd(end);
        valueAt = reader.at;
        reader.at = valueEnd;
      } else reader.skip(end);
    }
    if (place < 0 || valueAt < 0) return;
    reader.at = valueAt;
    while (reader.next(valueEnd)) {
      if (reader.field === 1) values[place] = this.textField(valueEnd);
      else reader.skip(valueEnd);
    }
    reader.at = end;
  }

  /** Place of a key, or -1. */
  #placeOf(start: number, end: number, keys: ReadonlyMap<string, number>): number {
    if (this.#keys.size > NAMES_MAX || this.#keys.bytes > NAME_BYTES_MAX) {
      this.#keys.clear();
      this.#resourcePlaces = [];
      this.#peerPlaces = [];
    }
    const places = keys === PEER_KEYS ? this.#peerPlaces : this.#resourcePlaces;
    const key = this.#keys.intern(this.#reader.bytes, start, end);
    return (places[key] ??= keys.get(this.#keys.text(key)) ?? -1);
  }
}
