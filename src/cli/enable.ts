import type { Command } from 'commander';
import { enable } from '../enable/enable.ts';
import type { SwitchResult } from '../enable/enable.ts';
import { examine } from '../enable/examine.ts';
import { openService } from '../enable/open-service.ts';
import {
  DEFAULT_ADMISSION_FOLDER,
  DEFAULT_KUBECONFIG,
  DEFAULT_MANIFEST,
  DEFAULT_POD_LOGS,
  DEFAULT_TIMEOUT,
  readEnableFlags,
} from '../enable/options.ts';
import type { EnableFlags } from '../enable/options.ts';
import type { CommandContext } from './context.ts';
import { Output } from './output.ts';
import { switchPorts } from './switch-ports.ts';
import { untilSignal } from './until-signal.ts';

const HELP = `
Checks everything that can be checked beforehand, shows what it would change, asks, edits, waits for
kube-apiserver and proves by two dry runs that it asks the service. Whatever fails, or Ctrl-C, puts
everything back. Backups lie in image-checker-backup beside the manifests folder.

Exit code 0 when the plugin is on, 1 when pre-flight found a reason to stop (nothing was touched) or
it was rolled back, 2 when the call or a file is wrong.

Examples:
  image-checker enable --dry-run
  image-checker enable
  image-checker enable --yes --probe-allow registry.example.com/app:1 --timeout 5m
`;

export function addEnableCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('enable')
    .description('switches the plugin on, on a control-plane node');
  addSwitchOptions(command)
    .option('--service-dir <folder>', "the service's own, where it runs on this node")
    .option('--accept-denials', 'go on although something that runs now would be refused')
    .option('--probe-deny <image>', 'an image that has to be refused afterwards')
    .option('--probe-allow <image>', 'an image that has to be allowed afterwards')
    .addHelpText('after', HELP)
    .action((flags: EnableFlags) => runEnable(flags, context));
}

export function addSwitchOptions(command: Command): Command {
  return command
    .option('--manifest <file>', `of kube-apiserver (default: ${DEFAULT_MANIFEST})`)
    .option('--dir <folder>', `what kube-apiserver mounts (default: ${DEFAULT_ADMISSION_FOLDER})`)
    .option('--mount-path <path>', 'where kube-apiserver sees --dir (default: the same path)')
    .option('--kubeconfig <file>', `how it is reached (default: ${DEFAULT_KUBECONFIG})`)
    .option('--timeout <time>', 'for which kube-apiserver may be away', DEFAULT_TIMEOUT)
    .option('--pod-logs <folder>', `where its log is (default: ${DEFAULT_POD_LOGS})`)
    .option('--dry-run', 'only show what would be changed')
    .option('--yes', 'do not ask');
}

async function runEnable(flags: EnableFlags, context: CommandContext): Promise<void> {
  const options = readEnableFlags(flags, context.cwd);
  const result = await untilSignal(context, (signal) =>
    enable(options, {
      ...switchPorts(context, options, signal),
      openService,
      examine: (plan) => examine(plan, options),
    }),
  );
  await reportSwitch(result, context, {
    unchanged: 'the plugin is switched on already: nothing to change',
    done: 'the plugin is switched on',
  });
}

interface Sentences {
  readonly unchanged: string;
  readonly done: string;
}

export async function reportSwitch(
  { outcome, plan, backup }: SwitchResult,
  context: CommandContext,
  sentences: Sentences,
): Promise<void> {
  const lines = {
    unchanged: [sentences.unchanged],
    planned: ['dry run: nothing was touched', ...plan.changes.map(({ message }) => `  ${message}`)],
    done: [sentences.done, `what was there is kept in ${backup ?? ''}`],
  }[outcome];
  await new Output(context.stdout).write(`${lines.join('\n')}\n`);
}
