import fs from 'node:fs/promises';
import type { Command } from 'commander';
import { interruptible } from '../setup/interruption.ts';
import { DEFAULT_ADMISSION_FOLDER, DEFAULT_SERVICE_FOLDER } from '../setup/layout.ts';
import { DEFAULT_ADMIN_PORT, DEFAULT_PORT, readSetupFlags } from '../setup/options.ts';
import type { SetupFlags } from '../setup/options.ts';
import { reportSetup } from '../setup/report.ts';
import { setupJson } from '../setup/setup-json.ts';
import { setup } from '../setup/setup.ts';
import type { SetupResult } from '../setup/setup.ts';
import { reportSigningRequests } from '../setup/signing-requests.ts';
import { systemPkiPorts } from '../setup/system-pki-ports.ts';
import type { CommandContext } from './context.ts';
import { writeProblems } from './messages.ts';
import { outputOption } from './options.ts';
import { json, Output } from './output.ts';

const HELP = `
-o json writes what was made, and no key:
  {"files":[{"path","mode"}],
   "certificates":[{"file","role","subject","names","sha256","notAfter"}],
   "signingRequests":[{"file","role","certificate","ca"}],"backup",
   "nextSteps":[{"what","commands"}]}
where role is CA, server or client, sha256 the fingerprint, and backup the folder with what was there,
or null. With --csr-only certificate and ca are where to put what your CA answers, and the certificate
of the CA.

Exit code 0 when the files are there, 2 when the call is wrong or something would be overwritten.

Examples:
  image-checker setup                                     the service on the control-plane node itself
  image-checker setup --server-host checker.example.com   the service elsewhere
  image-checker setup --ca-cert ca.pem --ca-key ca-key.pem
  image-checker setup --dir .local/admission --service-dir .local/image-checker --if-missing
  image-checker setup -o json
`;

interface SetupCommandFlags extends SetupFlags {
  readonly output: 'text' | 'json';
}

export function addSetupCommand(program: Command, context: CommandContext): void {
  program
    .command('setup')
    .description('makes certificates, kubeconf, admission_config.yaml, config and first rules')
    .option('--dir <folder>', `what kube-apiserver mounts (default: ${DEFAULT_ADMISSION_FOLDER})`)
    .option('--service-dir <folder>', `the service's own (default: ${DEFAULT_SERVICE_FOLDER})`)
    .option('--server-host <host>', 'name or address of the service, repeatable', collect)
    .option('--port <port>', `where kube-apiserver asks (default: ${DEFAULT_PORT})`)
    .option('--admin-port <port>', `health over plain http (default: ${DEFAULT_ADMIN_PORT})`)
    .option('--mount-path <path>', 'where kube-apiserver sees --dir (default: the same path)')
    .option('--force', 'make everything anew, keeping a copy of what is replaced')
    .option('--if-missing', 'make only what is not there')
    .option('--ca-cert <file>', 'sign with this CA instead of a new one; its root behind it')
    .option('--ca-key <file>', 'the private key of --ca-cert, which stays where it is')
    .option('--csr-only', 'make keys and signing requests for a CA elsewhere')
    .addOption(outputOption(['text', 'json']))
    .addHelpText('after', HELP)
    .action((flags: SetupCommandFlags) => runSetup(flags, context));
}

async function runSetup(flags: SetupCommandFlags, context: CommandContext): Promise<void> {
  const options = readSetupFlags(flags, context.cwd);
  const result = await interruptible((signal) => setup(options, { ...systemPkiPorts, fs, signal }));
  writeProblems(context, 'warning', result.warnings);
  const text = flags.output === 'json' ? json(setupJson(result)) : report(result);
  await new Output(context.stdout).write(text);
}

function report(result: SetupResult): string {
  const { issuer, layout } = result.options;
  const requests = issuer?.kind === 'elsewhere' ? reportSigningRequests(layout) : '';
  return `${requests}${reportSetup(result)}`;
}

function collect(host: string, hosts: readonly string[] = []): readonly string[] {
  return [...hosts, host];
}
