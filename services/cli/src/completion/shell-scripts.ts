import type { Candidate, CommandNode } from './command-tree.ts';

/** A shell that a completion can be printed for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The completion of a command line, as a script of a shell. */
export function completionScript(shell: Shell, nodes: readonly CommandNode[]): string {
  return { bash, zsh, fish }[shell](nodes);
}

/** Pattern cases that follow the words typed so far from command to command. */
function pathCases(nodes: readonly CommandNode[]): string {
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `      ${paths.join('|')}) at="\${at:+$at }$word" ;;`;
}

function bash(nodes: readonly CommandNode[]): string {
  const cases = nodes.map(({ path, commands, options }) => {
    const words = [...commands, ...options].map(({ word }) => word).join(' ');
    return `    ${quoted(path)}) words=${quoted(words)} ;;`;
  });
  return `# flyball completion for bash: put  source <(flyball completion bash)  into ~/.bashrc
_flyball() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" at='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${at:+$at }$word" in
${pathCases(nodes)}
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _flyball flyball
`;
}

function zsh(nodes: readonly CommandNode[]): string {
  const cases = nodes.map(({ path, commands, options }) => {
    const items = [...commands, ...options].map(({ word, help }) => quoted(`${word}:${help.replaceAll(':', '\\:')}`));
    return `    ${quoted(path)}) items=(${items.join(' ')}) ;;`;
  });
  return `#compdef flyball
# flyball completion for zsh: put  source <(flyball completion zsh)  into ~/.zshrc, after compinit
_flyball() {
  local at='' word
  local -a items
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${at:+$at }$word" in
${pathCases(nodes)}
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  _describe 'flyball' items || _files
}
compdef _flyball flyball
`;
}

function fish(nodes: readonly CommandNode[]): string {
  const lines = nodes.flatMap(({ path, commands, options }) => {
    const when = quoted(path === '' ? '__flyball_at' : `__flyball_at ${path}`);
    const subcommands = commands.map(
      ({ word, help }: Candidate) => `complete -c flyball -f -n ${when} -a ${quoted(word)} -d ${quoted(help)}`,
    );
    const flags = options.map(
      ({ word, help }) => `complete -c flyball -n ${when} -l ${quoted(word.replace(/^--/, ''))} -d ${quoted(help)}`,
    );
    return [...subcommands, ...flags];
  });
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `# flyball completion for fish: flyball completion fish > ~/.config/fish/completions/flyball.fish
function __flyball_at
    set -l at
    for word in (commandline -opc)[2..-1]
        if contains -- "$(string join ' ' $at $word)" ${paths.join(' ')}
            set -a at $word
        end
    end
    test "$at" = "$argv"
end
${lines.join('\n')}
`;
}

/** As one word of a shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
