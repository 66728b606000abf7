import type { Command } from 'commander';
import { resolve } from 'node:path';
import { stat } from 'node:fs/promises';
import { describeProblem, ImageCheckerError } from '../errors.ts';
import { examine } from '../doctor/doctor.ts';
import type { Finding } from '../doctor/finding.ts';
import type { DoctorOptions } from '../doctor/options.ts';
import { systemDoctorPorts } from '../doctor/system-ports.ts';
import { printable } from '../respond/escape.ts';
import { DEFAULT_ADMISSION_FOLDER, DEFAULT_SERVICE_FOLDER } from '../setup/layout.ts';
import { EXIT } from './context.ts';
import type { CommandContext } from './context.ts';
import { outputOption } from './options.ts';
import { json, Output } from './output.ts';
import { paintFor } from './paint.ts';
import type { Paint } from './paint.ts';

const DEFAULT_MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
/** In characters: a message may quote from a file. */
const MAX_MESSAGE = 1000;

const HELP = `
Without options it looks at what there is in the default places.

Exit code 0 when no check fails, 1 when one does, 2 when there is nothing to look at.

Examples:
  image-checker doctor
  image-checker doctor --dir .local/admission --service-dir .local/image-checker
  image-checker doctor --manifest kube-apiserver.yaml --strict -o json
  image-checker doctor --compare cp-1.json     what \`doctor -o json\` wrote on cp-1
`;

export interface DoctorFlags {
  readonly dir?: string;
  readonly manifest?: string;
  readonly serviceDir?: string;
  readonly rules?: string;
  readonly kubeconfig?: string;
  readonly compare?: string;
  /** False with `--no-live`. */
  readonly live: boolean;
  readonly strict?: true;
  readonly output: 'text' | 'json';
}

export function addDoctorCommand(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('checks every file, certificate, mount and flag of a control-plane node')
    .option('--dir <folder>', `what kube-apiserver mounts (default: ${DEFAULT_ADMISSION_FOLDER})`)
    .option('--manifest <file>', `kube-apiserver's static pod (default: ${DEFAULT_MANIFEST})`)
    .option('--service-dir <folder>', `the service's own (default: ${DEFAULT_SERVICE_FOLDER})`)
    .option('--rules <file>', "instead of the rules that the service's config names")
    .option('--kubeconfig <file>', 'of a user who may ask kube-apiserver for its version')
    .option('--compare <file>', 'what `doctor -o json` wrote on another control-plane node')
    .option('--no-live', 'look at files alone, and ask nobody')
    .option('--strict', 'a warning that something can be done about is a failure')
    .addOption(outputOption(['text', 'json']))
    .addHelpText('after', HELP)
    .action((flags: DoctorFlags) => runCommand(flags, context));
}

async function runCommand(flags: DoctorFlags, context: CommandContext): Promise<void> {
  const ports = systemDoctorPorts();
  const options = await optionsOf(flags, context.cwd);
  const { findings, facts } = await examine(options, ports);
  if (findings.some(({ status }) => status === 'fail')) context.exitCode = EXIT.finding;
  const text =
    flags.output === 'json'
      ? json({ version: 1, node: ports.node, facts, findings })
      : renderFindings(findings, paintFor(context));
  await new Output(context.stdout).write(text);
}

/** @throws {ImageCheckerError} `usage` when there is nothing to look at */
async function optionsOf(flags: DoctorFlags, cwd: string): Promise<DoctorOptions> {
  const orDefault = async (
    given: string | undefined,
    usual: string,
  ): Promise<string | undefined> => {
    if (given !== undefined) return resolve(cwd, given);
    const found = await stat(usual).catch(() => undefined);
    return found === undefined ? undefined : usual;
  };
  const dir = await orDefault(flags.dir, DEFAULT_ADMISSION_FOLDER);
  const manifest = await orDefault(flags.manifest, DEFAULT_MANIFEST);
  const serviceDir = await orDefault(flags.serviceDir, DEFAULT_SERVICE_FOLDER);
  const { rules, kubeconfig, compare, strict, live } = flags;
  if ([dir, manifest, serviceDir, rules, kubeconfig].every((one) => one === undefined)) {
    const message = `expected ${DEFAULT_ADMISSION_FOLDER}, ${DEFAULT_SERVICE_FOLDER} or ${DEFAULT_MANIFEST}, got none of them`;
    const hint = 'say where to look with --dir, --service-dir and --manifest';
    throw new ImageCheckerError('usage', { message, hint });
  }
  return {
    ...(dir !== undefined && { dir }),
    ...(manifest !== undefined && { manifest: { file: manifest } }),
    ...(serviceDir !== undefined && { serviceDir }),
    ...(rules !== undefined && { rules: resolve(cwd, rules) }),
    ...(kubeconfig !== undefined && { kubeconfig: resolve(cwd, kubeconfig) }),
    ...(compare !== undefined && { compare: resolve(cwd, compare) }),
    live,
    ...(strict === true && { strict }),
  };
}

function renderFindings(findings: readonly Finding[], paint: Paint): string {
  const groups = [...new Set(findings.map(({ group }) => group))];
  const blocks = groups.map((group) => {
    const lines = findings.filter((finding) => finding.group === group);
    return `${paint.bold(group)}\n${lines.map((each) => renderFinding(each, paint)).join('')}\n`;
  });
  const count = (status: Finding['status']): number =>
    findings.filter((finding) => finding.status === status).length;
  return `${blocks.join('')}${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failures\n`;
}

function renderFinding(finding: Finding, paint: Paint): string {
  const marks = { ok: paint.green('✓'), warn: paint.yellow('!'), fail: paint.red('✗') };
  const text = printable(describeProblem(finding), MAX_MESSAGE);
  const fix = finding.fix === undefined ? '' : `      ${printable(finding.fix, MAX_MESSAGE)}\n`;
  return `  ${marks[finding.status]} ${text} ${paint.dim(`[${finding.id}]`)}\n${fix}`;
}
