import type { ConsoleState } from '@flyball/api';
import { ConsoleBuild } from '@flyball/console';
import { join } from 'node:path';
import type { StandaloneOptions } from './options.ts';

/** The console of this process: built once after an install or update, by a process of its own, and then there at once. */
export function openConsole({ console: when, dir }: StandaloneOptions['standalone']): () => ConsoleState {
  if (when === 'none') {
    const fix = 'Start without FLYBALL_STANDALONE_CONSOLE=none.';
    return () => ({ state: 'missing', reason: 'This Flyball was started without a console.', fix });
  }
  const build = new ConsoleBuild(join(dir, 'console'));
  if (when === 'start') build.state();
  return () => build.state();
}
