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
import { outputOption } from './options.ts';
import { json, Output } from './output.ts';
import { diffOf, switchPorts } from './switch-ports.ts';
import type { SwitchFormat } from './switch-ports.ts';
import { untilSignal } from './until-signal.ts';

const HELP = `
Checks everything that can be checked beforehand, shows what it would change, asks, edits, waits for
kube-apiserver and proves by two dry runs that it asks the service. Whatever fails, or Ctrl-C, puts
everything back. Backups lie in image-checker-backup beside the manifests folder.

Exit code 0 when the plugin is on, 1 when pre-flight found a reason to stop (nothing was touched) or
it was rolled back, 2 when the call or a file is wrong.

-o json writes, when it ends with 0,
  {"outcome","restarts","changes":[text],"files":[{"path","diff"}],"backup"}
where outcome is unchanged, planned or done, restarts says whether kube-apiserver is restarted, and
backup is the folder with what was there, or null. What is to be confirmed goes to standard error.

Examples:
  image-checker enable --dry-run
  image-checker enable
  image-checker enable --yes --probe-allow registry.example.com/app:1 --timeout 5m
  image-checker enable --yes -o json
`;

/** How the result of a command is written. */
export interface Written {
  readonly output: SwitchFormat;
}

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
    .action((flags: EnableFlags & Written) => runEnable(flags, context));
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
    .option('--yes', 'do not ask')
    .addOption(outputOption(['text', 'json']));
}

async function runEnable(flags: EnableFlags & Written, context: CommandContext): Promise<void> {
  const options = readEnableFlags(flags, context.cwd);
  const { output } = flags;
  const result = await untilSignal(context, (signal) =>
    enable(options, {
      ...switchPorts(context, { options, output }, signal),
      openService,
      examine: (plan) => examine(plan, options),
    }),
  );
  const text = renderSwitch(result, output, {
    unchanged: 'the plugin is switched on already: nothing to change',
    done: 'the plugin is switched on',
  });
  await new Output(context.stdout).write(text);
}

interface Sentences {
  readonly unchanged: string;
  readonly done: string;
}

/** What is written about a run that did not fail. */
export function renderSwitch(
  { outcome, plan, backup }: SwitchResult,
  output: SwitchFormat,
  sentences: Sentences,
): string {
  if (output === 'json') {
    return json({
      outcome,
      restarts: plan.restarts,
      changes: plan.changes.map(({ message }) => message),
      files: plan.edits.map((edit) => ({ path: edit.file, diff: diffOf(edit) })),
      backup: backup ?? null,
    });
  }
  const lines = {
    unchanged: [sentences.unchanged],
    planned: ['dry run: nothing was touched', ...plan.changes.map(({ message }) => `  ${message}`)],
    done: [sentences.done, `what was there is kept in ${backup ?? ''}`],
  }[outcome];
  return `${lines.join('\n')}\n`;
}
