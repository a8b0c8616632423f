import { Argument, type Command } from 'commander';
import { examples } from '../examples.ts';
import { commandNodes } from './command-tree.ts';
import { completionScript, type Shell, SHELLS } from './shell-scripts.ts';

/** `flyball completion`: made from the commands as they are, so it never lags behind them. */
export function completionCommand(root: Command): void {
  root
    .command('completion')
    .description('print what makes a shell complete commands and options')
    .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS))
    .addHelpText(
      'after',
      examples(
        'source <(flyball completion bash)',
        'source <(flyball completion zsh)',
        'flyball completion fish > ~/.config/fish/completions/flyball.fish',
      ),
    )
    .action((shell: Shell) => void process.stdout.write(completionScript(shell, commandNodes(root))));
}
