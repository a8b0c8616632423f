/** A build target of a Dockerfile, with the instructions of those it builds upon first. */
export interface Target {
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** One instruction: `COPY`, and what follows it. */
interface Instruction {
  readonly word: string;
  readonly text: string;
}

/** Reads the targets of a Dockerfile. */
export function targetsOf(dockerfile: string): readonly Target[] {
  const targets = new Map<string, Target>();
  let instructions: Instruction[] = [];
  for (const line of dockerfile.split('\n')) {
    const match = /^([A-Z]+) (.*)$/.exec(line);
    if (match === null) continue;
    const [, word = '', text = ''] = match;
    if (word !== 'FROM') {
      instructions.push({ word, text });
      continue;
    }
    const [, from = '', name = ''] = /^(\S+) AS (\S+)$/.exec(text) ?? [];
    instructions = [...(targets.get(from)?.instructions ?? [{ word, text: from }])];
    targets.set(name, { name, instructions });
  }
  return [...targets.values()];
}
