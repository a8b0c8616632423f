import { Command } from 'commander';
import { approvalCommands } from './approval-commands.ts';
import { auditCommands } from './audit-commands.ts';
import { EXIT } from './cli-error.ts';
import { completionCommand } from './completion/completion-command.ts';
import { connectionCommands } from './connection-commands.ts';
import { deploymentCommands } from './deployment-commands.ts';
import { detectCommand } from './detect/detect-command.ts';
import { doctorCommand } from './doctor/doctor-command.ts';
import { gateCommand } from './gate/gate-command.ts';
import { killSwitchCommands } from './kill-switch-commands.ts';
import { lookCommands } from './look-commands.ts';
import { policyCommands } from './policy-commands.ts';
import { quietCommands } from './quiet-commands.ts';
import { remarkCommands } from './remark-commands.ts';
import { replayCommand } from './replay/replay-command.ts';
import { simulateCommand } from './simulate/simulate-command.ts';
import { startCommand } from './start-command.ts';
import { usageError } from './usage-error.ts';

/** The command line, whole. Heavy parts are loaded by the commands that need them. */
export function program(): Command {
  const root = new Command('flyball')
    .description('The closed-loop governor for fleets of services.')
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(usageError(text)) })
    .exitOverride((error) => {
      const isFine = ['commander.helpDisplayed', 'commander.version', 'commander.help'].includes(error.code);
      process.exit(isFine ? EXIT.pass : EXIT.usage);
    });
  startCommand(root);
  lookCommands(root);
  doctorCommand(root);
  gateCommand(root);
  simulateCommand(root);
  killSwitchCommands(root);
  approvalCommands(root);
  quietCommands(root);
  remarkCommands(root);
  policyCommands(root);
  connectionCommands(root);
  auditCommands(root);
  replayCommand(root);
  detectCommand(root);
  deploymentCommands(root);
  completionCommand(root);
  return root;
}
