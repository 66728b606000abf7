import { Command, CommanderError } from 'commander';
import { ImageCheckerError, messageOf } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { VERSION } from '../version.ts';
import { mistakeIn } from './call-mistake.ts';
import { addCertsCommand } from './certs.ts';
import { addCheckCommand } from './check.ts';
import { addDoctorCommand } from './doctor.ts';
import { writeProblems } from './messages.ts';
import { addDisableCommand } from './disable.ts';
import { addEnableCommand } from './enable.ts';
import { addPinCommand } from './pin.ts';
import { addPullSecretCommand } from './pull-secret.ts';
import { addReferenceCommand } from './reference.ts';
import { addRegistryCommand } from './registry.ts';
import { addRulesCommand } from './rules.ts';
import { addScanCommand } from './scan.ts';
import { addServeCommand } from './serve.ts';
import { addSetupCommand } from './setup.ts';
import { addTestCommand } from './test-rules.ts';

const PROGRAM = 'image-checker';

const HELP = `
Exit code 0 when it is good or allowed, 1 when it is denied or there is a finding, 2 when the call or
its input is wrong, 70 for a fault of image-checker. Each command has a --help of its own.

Examples:
  image-checker setup                                          certificates, configuration, first rules
  image-checker serve --config /etc/image-checker/config.yaml  the service
  image-checker enable --dry-run                               what it would take to switch the plugin on
  image-checker doctor                                         what is wrong on this node
  image-checker check docker.io/nginx --rules rules.yaml       what would be answered, and why
  kubectl get pods -A -o json | image-checker scan --rules rules.yaml -
`;

/** Nothing is wrong with the call: the state of the cluster is. */
const FINDINGS: ReadonlySet<ErrorCode> = new Set(['enable-refused', 'enable-failed']);

/** Runs one call of the executable; never throws. */
export async function run(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const program = buildProgram(context);
  try {
    await program.parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) return report(thrown, context);
    if (thrown.exitCode === 0) return EXIT.ok;
    // It has shown its help where that is all there is to say.
    if (thrown.code !== 'commander.help') {
      writeProblems(context, 'error', [mistakeIn(program, args, thrown)]);
    }
    return EXIT.usage;
  }
}

function buildProgram(context: CommandContext): Command {
  const program = new Command(PROGRAM)
    .description("the backend of Kubernetes' ImagePolicyWebhook admission plugin")
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      // `run` does, with a hint.
      outputError: () => undefined,
    })
    .addHelpText('after', HELP);
  addServeCommand(program, context);
  addSetupCommand(program, context);
  addEnableCommand(program, context);
  addDisableCommand(program, context);
  addCertsCommand(program, context);
  addCheckCommand(program, context);
  addDoctorCommand(program, context);
  addPinCommand(program, context);
  addPullSecretCommand(program, context);
  addReferenceCommand(program, context);
  addRegistryCommand(program, context);
  addRulesCommand(program, context);
  addScanCommand(program, context);
  addTestCommand(program, context);
  return program;
}

function report(thrown: unknown, context: CommandContext): ExitCode {
  if (thrown instanceof ImageCheckerError) {
    writeProblems(context, 'error', thrown.problems);
    return FINDINGS.has(thrown.code) ? EXIT.finding : EXIT.usage;
  }
  context.stderr.write(`${PROGRAM}: error: fault of ${PROGRAM} itself: ${messageOf(thrown)}\n`);
  if (thrown instanceof Error && thrown.stack !== undefined) {
    context.stderr.write(`${thrown.stack}\n`);
  }
  return EXIT.fault;
}
