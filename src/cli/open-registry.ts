import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/load-config.ts';
import { registriesSchema } from '../config/registries.ts';
import type { RegistriesConfig } from '../config/registries.ts';
import { createRegistry } from '../registry/create-registry.ts';
import type { ClosableRegistry } from '../registry/create-registry.ts';
import type { RegistryDeps } from '../registry/deps.ts';
import type { CommandContext } from './context.ts';
import { writeProblems } from './messages.ts';

export interface RegistryFlags {
  readonly config?: string;
}

export function addRegistryOptions(command: Command): Command {
  return command.option(
    '--config <file>',
    "the service's config, whose registries count (default: docker's config.json alone)",
  );
}

/** How registries are reached: as the service does, or as docker does on this machine. */
export async function readRegistrySettings(
  { config }: RegistryFlags,
  context: CommandContext,
): Promise<RegistriesConfig> {
  if (config !== undefined) return (await loadConfig(resolve(context.cwd, config))).registries;
  const file = dockerConfigFile(context);
  return registriesSchema.parse({ credentials: (await exists(file)) ? [file] : [] });
}

/** Where `docker login` writes. */
export function dockerConfigFile({ env, cwd }: CommandContext): string {
  const folder = env['DOCKER_CONFIG'] ?? '';
  return folder === ''
    ? join(env['HOME'] ?? homedir(), '.docker', 'config.json')
    : resolve(cwd, folder, 'config.json');
}

export async function openRegistry(
  flags: RegistryFlags,
  context: CommandContext,
): Promise<ClosableRegistry> {
  return createRegistry(await readRegistrySettings(flags, context), registryDeps(context));
}

export function registryDeps(context: CommandContext): RegistryDeps {
  return {
    now: Date.now,
    random: Math.random,
    env: context.env,
    warn: (problem) => {
      writeProblems(context, 'warning', [problem]);
    },
  };
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
