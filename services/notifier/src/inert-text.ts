/**
 * Text from telemetry for people: no control characters, no direction marks, at most so many characters. It may hold anything an
 * attacker can put into a name of a service.
 */
export function inertText(text: string, charactersMax: number): string {
  const inert = text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
  const characters = [...inert];
  return characters.length <= charactersMax ? inert : `${characters.slice(0, charactersMax - 1).join('')}…`;
}
