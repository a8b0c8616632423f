import type { Command } from 'commander';

/** A word that may come next, with what it means. */
export interface Candidate {
  readonly word: string;
  readonly help: string;
}

/** A command as a completion knows it. */
export interface CommandNode {
  /** Words after `flyball`: `policy lint`; '' for `flyball` itself. */
  readonly path: string;
  readonly commands: readonly Candidate[];
  readonly options: readonly Candidate[];
}

/** A command line as a list of its commands, each before those in it. */
export function commandNodes(root: Command, path = ''): readonly CommandNode[] {
  const commands = root.commands.map((each) => ({ word: each.name(), help: firstLine(each.description()) }));
  const options = root.options
    .filter(({ hidden }) => !hidden)
    .map(({ long, short, description }) => ({ word: long ?? short ?? '', help: firstLine(description) }));
  const node = { path, commands, options: [...options, { word: '--help', help: 'show help' }] };
  return [node, ...root.commands.flatMap((each) => commandNodes(each, `${path} ${each.name()}`.trim()))];
}

/** Short enough for a line beside the word. */
function firstLine(text: string): string {
  const line = text.split(/\n|\. |; /)[0] ?? '';
  return line.length > 70 ? `${line.slice(0, 69)}…` : line;
}
