import { RejectedError, WireWriter } from '@flyball/core';
import { attributes, JsonFlaw, type JsonResource, type JsonScope, jsonText } from './json-values.ts';

/** Hears of what cannot be written, e.g. `resourceSpans[0].scopeSpans[0].spans[2]`, why, and how many items that is. It is left out. */
export type OnFlaw = (where: string, why: string, items: number) => void;

/** Where items are in a request, and how one is written. */
interface ItemForm<Resource, Scoped, Item> {
  /** Names of the three lists: resources, scopes, items. */
  readonly names: readonly [string, string, string];
  readonly scopesOf: (resource: Resource) => readonly Scoped[];
  readonly itemsOf: (scoped: Scoped) => readonly Item[];
  /** @param where - path of the item. */
  readonly encode: (item: Item, where: () => string) => Uint8Array;
  /** How many items go with one: of a metric its points. Missing: it is one. */
  readonly countOf?: (item: Item) => number;
}

/**
 * Resources with scopes with items, as all three requests are built.
 *
 * @throws {RejectedError} `OTLP_JSON_INVALID`, with the place: for an item only where nobody listens to `onFlaw`.
 */
export function encodeResources<
  Resource extends { readonly resource?: JsonResource; readonly schemaUrl?: string },
  Scoped extends { readonly scope?: JsonScope; readonly schemaUrl?: string },
  Item,
>(
  resources: readonly Resource[],
  {
    names: [resourcesName, scopesName, itemsName],
    scopesOf,
    itemsOf,
    encode,
    countOf,
  }: ItemForm<Resource, Scoped, Item>,
  onFlaw?: OnFlaw,
): Uint8Array {
  const request = new WireWriter();
  const resourceList = { field: 1, list: resources, where: () => resourcesName };
  writeEach(request, resourceList, (each, resourceAt) => {
    const { resource, schemaUrl } = each;
    const writer = new WireWriter();
    if (resource !== undefined) writer.bytes(1, attributes(new WireWriter(), 1, resource.attributes).finish());
    const scopeList = { field: 2, list: scopesOf(each), where: () => `${resourceAt()}.${scopesName}` };
    writeEach(writer, scopeList, (scoped, scopeAt) => {
      const group = new WireWriter();
      if (scoped.scope !== undefined) group.bytes(1, encodeScope(scoped.scope));
      const itemList = { field: 2, list: itemsOf(scoped), where: () => `${scopeAt()}.${itemsName}`, countOf };
      writeEach(group, itemList, encode, onFlaw);
      return group.text(3, jsonText('schemaUrl', scoped.schemaUrl)).finish();
    });
    return writer.text(3, jsonText('schemaUrl', schemaUrl)).finish();
  });
  return request.finish();
}

function encodeScope({ name, version }: JsonScope): Uint8Array {
  return new WireWriter().text(1, jsonText('name', name)).text(2, jsonText('version', version)).finish();
}

/** A list in a request, the field that it goes to, and its path. */
interface JsonList<Item> {
  readonly field: number;
  readonly list: readonly Item[];
  readonly where: () => string;
  /** How many items go with one that cannot be written. Missing: it is one. */
  readonly countOf?: ((item: Item) => number) | undefined;
}

/**
 * Writes a list as a repeated field. What cannot be written is left out and told of.
 *
 * @throws {RejectedError} `OTLP_JSON_INVALID`, with the place: where nobody listens, and for what is no list.
 */
export function writeEach<Item>(
  writer: WireWriter,
  { field, list, where, countOf }: JsonList<Item>,
  encode: (item: Item, where: () => string) => Uint8Array,
  onFlaw?: OnFlaw,
): void {
  if (!Array.isArray(list)) throw new RejectedError('OTLP_JSON_INVALID', `not OTLP/JSON: ${where()} is no list`);
  for (const [index, item] of list.entries()) {
    const itemAt = () => `${where()}[${index}]`;
    try {
      if (typeof item !== 'object' || item === null || Array.isArray(item)) throw new JsonFlaw('it is no object');
      writer.bytes(field, encode(item as Item, itemAt));
    } catch (cause) {
      if (cause instanceof RejectedError) throw cause;
      // Whatever else is thrown comes from a value of another type than the one that belongs there.
      const why = cause instanceof JsonFlaw ? cause.message : 'a value has the wrong type';
      if (onFlaw === undefined) {
        throw new RejectedError('OTLP_JSON_INVALID', `not OTLP/JSON: ${itemAt()}: ${why}`, { cause });
      }
      const isObject = typeof item === 'object' && item !== null;
      onFlaw(itemAt(), why, isObject && countOf !== undefined ? countOf(item) : 1);
    }
  }
}
