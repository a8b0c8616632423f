import { inert } from '@flyball/core';

/** Text that is HTML already. Only {@link html} makes it, so what came from telemetry is always escaped. */
export class Markup {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** HTML of which every value is escaped, unless it is markup itself. Lists are joined. */
  static of(literals: TemplateStringsArray, ...values: readonly Part[]): Markup {
    const parts = literals.map((literal, index) => literal + (index < values.length ? textOf(values[index]!) : ''));
    return new Markup(parts.join(''));
  }
}

/** What may stand in {@link html}. */
export type Part = string | number | Markup | readonly Part[];

/** {@link Markup.of}. */
export const html = Markup.of;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function textOf(value: Part): string {
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(textOf).join('');
  // Control characters and right-to-left overrides could make a text look like another.
  return inert(String(value)).replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}
