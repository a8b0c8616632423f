/**
 * Text that may come from telemetry, for people to look at: what would act instead of being seen (escape codes, line breaks,
 * direction marks, halves of characters) is spelt as `\u001b`. An attacker can put anything into a name of a service.
 */
export function inert(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}
