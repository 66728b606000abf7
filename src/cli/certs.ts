import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import fs from 'node:fs/promises';
import { ImageCheckerError } from '../errors.ts';
import { readCertificateTable } from '../setup/certificate-table.ts';
import type { CertificateTable } from '../setup/certificate-table.ts';
import { interruptible } from '../setup/interruption.ts';
import { DEFAULT_ADMISSION_FOLDER, DEFAULT_SERVICE_FOLDER } from '../setup/layout.ts';
import type { Layout } from '../setup/layout.ts';
import { readFolderFlags } from '../setup/options.ts';
import type { FolderFlags } from '../setup/options.ts';
import { readRenewFlags } from '../setup/renew-options.ts';
import type { RenewFlags } from '../setup/renew-options.ts';
import { renewJson, reportRenewal } from '../setup/renew-report.ts';
import { renew } from '../setup/renew.ts';
import { systemPkiPorts } from '../setup/system-pki-ports.ts';
import { renderCertificatesText } from './certs-text.ts';
import { EXIT } from './context.ts';
import type { CommandContext } from './context.ts';
import { writeProblems } from './messages.ts';
import { outputOption } from './options.ts';
import { json, Output } from './output.ts';
import { paintFor } from './paint.ts';

/** A month is enough for the slowest of change boards. */
const DEFAULT_WARN_DAYS = 30;

const HELP = `
Exit code 0 when it is good or done, 1 when \`show\` has a finding, 2 when the call or a file is wrong.

Examples:
  image-checker certs show
  image-checker certs renew
`;

const SHOW_HELP = `
Exit code 0 when all are good, 1 when a certificate has ended or is about to, or a key is not as it has
to be, 2 when there are none.

Examples:
  image-checker certs show
  image-checker certs show --warn-days 60 -o json
`;

const RENEW_HELP = `
Both sides trust the old certificates and the new ones at every moment. A running service and a
running kube-apiserver take the new files by themselves.

--ca changes to a new CA in three steps, one a call: (1) both sides trust both CAs, (2) new
certificates from the new CA, (3) the old CA is trusted no more. Before v1.36 kube-apiserver reads
the CA when it starts alone, so it has to be restarted between the first step and the second.

Exit code 0 when it is done, 2 when the call or a file is wrong.

Examples:
  image-checker certs renew
  image-checker certs renew --ca-key /mnt/usb/ca-key.pem     the CA's key is kept off the node
  image-checker certs renew --ca                             the next step of changing the CA
  image-checker certs renew --ca --yes                       kube-apiserver was restarted
  image-checker certs renew --ca --ca-cert new-ca.pem --ca-key new-ca-key.pem
`;

interface ShowFlags extends FolderFlags {
  readonly warnDays: number;
  readonly output: 'text' | 'json';
}

interface RenewCommandFlags extends RenewFlags {
  readonly output: 'text' | 'json';
}

export function addCertsCommand(program: Command, context: CommandContext): void {
  const certs = program
    .command('certs')
    .description('shows and renews certificates')
    .addHelpText('after', HELP);
  withFolders(certs.command('show').description('until when each certificate is good'))
    .option('--warn-days <days>', 'fewer days left are a finding', readDays, DEFAULT_WARN_DAYS)
    .addOption(outputOption(['text', 'json']))
    .addHelpText('after', SHOW_HELP)
    .action((flags: ShowFlags) => show(flags, context));
  withFolders(certs.command('renew').description('makes new keys and certificates'))
    .option('--ca', 'the next step of changing to a new CA')
    .option('--ca-cert <file>', 'with --ca: the CA to change to; else: the CA that signs')
    .option('--ca-key <file>', 'the private key of the CA, where it is kept elsewhere')
    .option('--yes', 'with --ca: what the step before asked for has been done')
    .addOption(outputOption(['text', 'json']))
    .addHelpText('after', RENEW_HELP)
    .action((flags: RenewCommandFlags) => runRenew(flags, context));
}

function withFolders(command: Command): Command {
  return command
    .option('--dir <folder>', `what kube-apiserver mounts (default: ${DEFAULT_ADMISSION_FOLDER})`)
    .option('--service-dir <folder>', `the service's own (default: ${DEFAULT_SERVICE_FOLDER})`);
}

async function show(flags: ShowFlags, context: CommandContext): Promise<void> {
  const layout = readFolderFlags(flags, context.cwd);
  await warnOfMissingFolders(flags, layout, context);
  const now = systemPkiPorts.now();
  const table = await readCertificateTable({ layout, now, warnDays: flags.warnDays });
  if (table.rows.length === 0 && table.problems.length === 0) {
    const message = `expected certificates in ${layout.admission} or ${layout.service}, got none`;
    const hint = '--dir and --service-dir name the folders; `image-checker setup` makes them';
    throw new ImageCheckerError('usage', { message, hint });
  }
  if (isFinding(table)) context.exitCode = EXIT.finding;
  const text =
    flags.output === 'json'
      ? json({ certificates: table.rows, problems: table.problems })
      : renderCertificatesText(table, paintFor(context));
  await new Output(context.stdout).write(text);
}

/** A misspelt folder would look like good news. */
async function warnOfMissingFolders(
  flags: ShowFlags,
  layout: Layout,
  context: CommandContext,
): Promise<void> {
  const given = [
    ...(flags.dir === undefined ? [] : [layout.admission]),
    ...(flags.serviceDir === undefined ? [] : [layout.service]),
  ];
  for (const file of given) {
    const found = await fs.stat(file).catch(() => undefined);
    if (found?.isDirectory() !== true) {
      writeProblems(context, 'warning', [{ file, message: 'expected a folder, got none' }]);
    }
  }
}

function isFinding({ rows, problems }: CertificateTable): boolean {
  return problems.length > 0 || rows.some(({ state }) => state !== 'good');
}

async function runRenew(flags: RenewCommandFlags, context: CommandContext): Promise<void> {
  const options = readRenewFlags(flags, context.cwd);
  const result = await interruptible((signal) => renew(options, { ...systemPkiPorts, fs, signal }));
  writeProblems(context, 'warning', result.warnings);
  const text = flags.output === 'json' ? renewJson(result) : reportRenewal(result);
  await new Output(context.stdout).write(text);
}

function readDays(written: string): number {
  if (/^[0-9]{1,5}$/.test(written)) return Number(written);
  throw new InvalidArgumentError('expected a number of days');
}
