import { EXIT } from '@flyball/cli';
import { Command, InvalidArgumentError } from 'commander';

/**
 * A command of this repository. Ends with exit code 2 at what it does not know: a mistyped option must not pass for a run in which
 * everything held.
 *
 * @param name - as one types it, e.g. `npm run chaos --`.
 */
export function repositoryCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .showHelpAfterError()
    .allowExcessArguments(false)
    .exitOverride(({ code }) => process.exit(code === 'commander.helpDisplayed' ? EXIT.pass : EXIT.usage));
}

/** Reads an argument that is a whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`It is a whole number of at least ${min}.`);
  };
}
