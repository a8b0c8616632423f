import type { Command } from 'commander';
import { examples } from './examples.ts';

/** `policy lint` and `policy test`: whether policies can be read, are safe, and do what their cases say. Needs no server. */
export function policyCommands(root: Command): void {
  const policy = root.command('policy').description('check policies, objectives and bindings from their files alone');
  policy
    .command('lint')
    .description('read every file; say what is wrong with line and column. Exit code 3 when anything is')
    .argument('<dir>', 'folder of policies, objectives and bindings')
    .option('--connections <file>', 'file or folder of connections: bindings may name those alone, and the twin')
    .addHelpText(
      'after',
      examples('flyball policy lint ./policies', 'flyball policy lint ./policies --connections connections.yaml'),
    )
    .action(async (dir: string, { connections }: { readonly connections?: string }) => {
      const { lintPolicies } = await import('./check-policies.ts');
      lintPolicies(dir, connections);
    });
  policy
    .command('test')
    .description('show every policy the cases of its NAME.test.yaml. Exit code 3 when one decides otherwise')
    .argument('<dir>', 'folder of policies and their cases')
    .addHelpText('after', examples('flyball policy test ./policies'))
    .action(async (dir: string) => {
      const { testPolicies } = await import('./check-policies.ts');
      testPolicies(dir);
    });
}
