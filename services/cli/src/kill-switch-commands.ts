import type { Command } from 'commander';
import { ApiClient } from './api-client.ts';
import { clientOf, shared, type Shared } from './client-options.ts';
import { examples } from './examples.ts';
import { addressesOf, dataDir, tokenOf } from './places.ts';

/** `pause` and `resume`: the kill switch. */
export function killSwitchCommands(root: Command): void {
  shared(root.command('pause').description('stop all automation: by the API, else at the actuator’s own port'))
    .option('--reason <text>', 'why', '')
    .addHelpText('after', examples('flyball pause --reason "database migration"'))
    .action(async (options: Shared & { reason: string }) => {
      const client = clientOf(options);
      // Whatever goes wrong, nobody knows then that it is paused.
      const failure = await client.request('PUT', '/v1/killswitch', { reason: options.reason }).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (failure === undefined) return void process.stderr.write('automation is paused\n');
      try {
        const dir = dataDir(options.data);
        await new ApiClient(addressesOf(dir).actuator, tokenOf(dir)).request('POST', '/pause');
      } catch {
        throw failure.error;
      }
      process.stderr.write('automation is paused at the actuator; the API does not answer\n');
    });
  shared(root.command('resume').description('let automation act again'))
    .addHelpText('after', examples('flyball resume'))
    .action(async (options: Shared) => {
      await clientOf(options).request('DELETE', '/v1/killswitch');
      process.stderr.write('automation is on\n');
    });
}
