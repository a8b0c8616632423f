import { inert } from '@flyball/core';

/** Text from telemetry for people, inert and at most so many characters long. */
export function inertText(text: string, charactersMax: number): string {
  const seen = inert(text);
  const characters = [...seen];
  return characters.length <= charactersMax ? seen : `${characters.slice(0, charactersMax - 1).join('')}…`;
}
