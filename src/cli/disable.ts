import type { Command } from 'commander';
import { disable } from '../enable/disable.ts';
import { readSwitchFlags } from '../enable/options.ts';
import type { SwitchFlags } from '../enable/options.ts';
import type { CommandContext } from './context.ts';
import { addSwitchOptions, renderSwitch } from './enable.ts';
import type { Written } from './enable.ts';
import { Output } from './output.ts';
import { switchPorts } from './switch-ports.ts';
import { untilSignal } from './until-signal.ts';

const HELP = `
Undoes what enable did, to the byte where nobody has edited it since; else what is ours goes and what
is not stays. Waits for kube-apiserver, and rolls back when it does not come back.

Exit code 0 when the plugin is off, 1 when it was rolled back, 2 when the call is wrong.
-o json writes what enable writes.

Examples:
  image-checker disable --dry-run
  image-checker disable
  image-checker disable --yes -o json
`;

export function addDisableCommand(program: Command, context: CommandContext): void {
  const command = program.command('disable').description('switches the plugin off again');
  addSwitchOptions(command)
    .addHelpText('after', HELP)
    .action((flags: SwitchFlags & Written) => runDisable(flags, context));
}

async function runDisable(flags: SwitchFlags & Written, context: CommandContext): Promise<void> {
  const options = readSwitchFlags(flags, context.cwd);
  const { output } = flags;
  const result = await untilSignal(context, (signal) =>
    disable(options, switchPorts(context, { options, output }, signal)),
  );
  const text = renderSwitch(result, output, {
    unchanged: 'the plugin is not switched on: nothing to undo',
    done: 'the plugin is switched off',
  });
  await new Output(context.stdout).write(text);
}
