import type { Command } from 'commander';
import { ImageCheckerError, messageOf } from '../errors.ts';
import { openRegistries } from '../registries.ts';
import type { Registries, RegistriesDeps } from '../registries.ts';
import type { CommandContext } from './context.ts';
import { writeProblems } from './messages.ts';
import { readRegistrySettings } from './open-registry.ts';

export interface VerifyFlags {
  readonly verify?: true;
  readonly config?: string;
}

/** Says what was left out, and how it is not. */
export function warnOfUnasked(context: CommandContext): void {
  const message = 'no registry was asked what rules want to know of it';
  writeProblems(context, 'warning', [{ message, hint: 'ask with --verify' }]);
}

export function addVerifyOptions(command: Command): Command {
  return command
    .option('--verify', 'ask registries what rules want to know of them')
    .option(
      '--config <file>',
      "with --verify: the service's config, whose registries count (default: docker's config.json alone)",
    );
}

/**
 * Registries as the service asks them, or as docker does on this machine.
 *
 * @param more `pinned`: a tag means the same digest as long as the command runs
 */
export async function openForCommand(
  flags: VerifyFlags,
  context: CommandContext,
  more: Pick<RegistriesDeps, 'pinned' | 'examined'>,
): Promise<Registries> {
  return openRegistries(await readRegistrySettings(flags, context), {
    clock: Date.now,
    random: Math.random,
    mostWaiting: Infinity,
    env: context.env,
    answered: ignore,
    answeredBy: ignore,
    failed(thrown) {
      writeProblems(context, 'error', [{ message: `a check failed: ${messageOf(thrown)}` }]);
    },
    warn(problem) {
      writeProblems(context, 'warning', [problem]);
    },
    ...more,
  });
}

/** A config that nobody reads is a mistake. */
export function expectVerify({ verify, config }: VerifyFlags): void {
  if (config === undefined || verify === true) return;
  const message = 'expected --verify beside --config, got none: no registry is asked without it';
  throw new ImageCheckerError('usage', { message });
}

function ignore(): void {
  // A command counts nothing.
}
