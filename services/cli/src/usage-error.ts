/** What commander says of a mistake, as one line of cause and one of fix. */
export function usageError(text: string): string {
  const [cause = '', guess] = text
    .replace(/^error: /, '')
    .trim()
    .split('\n');
  const meant = /Did you mean (?:one of )?(.+)\?/.exec(guess ?? '')?.[1];
  const fix =
    meant === undefined
      ? '"flyball --help" lists the commands, and "flyball COMMAND --help" its options'
      : `did you mean ${meant}?`;
  return `flyball: ${cause}\nfix: ${fix}\n`;
}
