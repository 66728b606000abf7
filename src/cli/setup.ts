import type { Command } from 'commander';
import type { CommandContext } from './context.ts';

export function addSetupCommand(program: Command, context: CommandContext): void {
  program.command('setup').action(() => {
    context.stdout.write('');
  });
}
