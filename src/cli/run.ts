import { Command, CommanderError } from 'commander';
import { ImageCheckerError, messageOf } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { EXIT } from './context.ts';
import type { CommandContext, ExitCode } from './context.ts';
import { VERSION } from '../version.ts';
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

/** Nothing is wrong with the call: the state of the cluster is. */
const FINDINGS: ReadonlySet<ErrorCode> = new Set(['enable-refused', 'enable-failed']);

/** Runs one call of the executable; never throws. */
export async function run(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  try {
    await buildProgram(context).parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (thrown) {
    return report(thrown, context);
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
      writeErr: (text) => context.stderr.write(text.replace(/^error: /, `${PROGRAM}: error: `)),
    });
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
  if (thrown instanceof CommanderError) {
    return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
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
