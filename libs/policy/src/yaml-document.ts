import { RejectedError } from '@flyball/core';
import { type Document, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { nearest } from './nearest.ts';

const TEXT_MAX = 64 * 1024;

/** Something that is wrong, and where. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/**
 * Reads a YAML document by a schema.
 *
 * @param more - further problems of what fits the schema.
 * @throws {RejectedError} `POLICY_INVALID`; the message lists every problem with line and column.
 */
export function readYaml<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
  more: (data: z.infer<Schema>) => Iterable<Problem> = () => [],
): z.infer<Schema> {
  const { document, place } = openYaml(text);
  const parsed = schema.safeParse(plainOf(document));
  const problems = parsed.success ? [...more(parsed.data)] : schemaProblems(parsed.error.issues);
  if (parsed.success && problems.length === 0) return parsed.data;
  throw invalid(problems.map(({ path, text: what }) => `${place(offsetOf(document, path))} ${what}`));
}

/** What a document says it is: the text at its key `kind`; '' where there is none. @throws {RejectedError} `POLICY_INVALID` */
export function kindOf(text: string): string {
  const kind: unknown = openYaml(text).document.get('kind');
  return typeof kind === 'string' ? kind : '';
}

function openYaml(text: string) {
  if (text.length > TEXT_MAX) throw invalid([`it is longer than ${TEXT_MAX} characters`]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw invalid(document.errors.map(({ pos, message }) => `${place(pos[0])} ${message.split('\n')[0]}`));
  }
  return { document, place };
}

/** A text that nobody can read as what it must be. */
export function invalid(problems: readonly string[]): RejectedError {
  const hint = 'Correct the places that are named; docs/policies.md describes every key.';
  return new RejectedError('POLICY_INVALID', `policy is invalid: ${problems.join('; ')}`, { hint });
}

/** Aliases could blow a small text up: none are taken. */
function plainOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw invalid(['aliases are not taken']);
  }
}

function schemaProblems(issues: readonly { code?: string; path: PropertyKey[]; message: string }[]): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const { path, message } = issue;
    const keys = 'keys' in issue ? (issue.keys as string[]) : undefined;
    if (keys === undefined) return [{ path, text: `${path.join('.')}: ${message}` }];
    return keys.map((key) => {
      const guess = nearest(key);
      const hint = guess === undefined ? '' : `, did you mean ${guess}?`;
      return { path: [...path, key], text: `unknown key ${[...path, key].join('.')}${hint}` };
    });
  });
}

/** Where a value, or the nearest one around it, starts in the text. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true) as { items?: { key?: unknown }[] } | undefined;
    const key = path[length - 1];
    const pair = parent?.items?.find((item) => isScalar(item.key) && item.key.value === key);
    if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0] ?? 0;
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
    if (node?.range !== undefined) return node.range[0];
  }
  return 0;
}
