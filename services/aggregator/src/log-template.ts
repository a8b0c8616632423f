const BODY_CHARS_MAX = 400;
const TEMPLATE_CHARS_MAX = 160;
/** Ids, numbers, times, addresses: whatever begins with a digit after optional hex, outside a word. */
const VARIABLE = /(?<![A-Za-z])(?:0x)?[0-9a-fA-F]*\d[\w:.\-/+]*/g;
const QUOTED = /"[^"]*"|'[^']*'/g;

/**
 * What is the same in all messages of one statement in the code: the text with its variable parts masked. A template is a
 * guess; it needs to be stable, not right.
 */
export function templateOf(body: string): string {
  return body
    .slice(0, BODY_CHARS_MAX)
    .replaceAll(QUOTED, '<*>')
    .replaceAll(VARIABLE, '<*>')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/<\*>(?:[ ,]<\*>)+/g, '<*>')
    .trim()
    .slice(0, TEMPLATE_CHARS_MAX);
}
