import type { Command } from 'commander';
import { ImageCheckerError } from '../errors.ts';
import { canonicalRegistry } from '../parse/image-reference.ts';
import { checkLogin } from '../registry/login-check.ts';
import type { LoginReport } from '../registry/login-check.ts';
import { isPathComponent, isRegistry } from '../parse/reference-grammar.ts';
import { printable } from '../respond/escape.ts';
import { EXIT } from './context.ts';
import type { CommandContext } from './context.ts';
import { writeProblems } from './messages.ts';
import { addRegistryOptions, readRegistrySettings, registryDeps } from './open-registry.ts';
import type { RegistryFlags } from './open-registry.ts';
import { outputOption } from './options.ts';
import { json, Output } from './output.ts';

const HELP = `
Exit code 0 when it works, 1 when it does not, 2 when the call or a file is wrong.

Examples:
  image-checker registry login-check registry.example.com:5000 --config /etc/image-checker/config.yaml
  image-checker registry login-check docker.io/library/nginx
`;

const LOGIN_HELP = `
Logs in at a registry as the service does, with --config of the service, or with docker's
config.json. With a repository it tells whether images can be pulled from there.

Exit code 0 when it works, 1 when it does not, 2 when the call or a file is wrong.

Examples:
  image-checker registry login-check registry.example.com:5000 --config /etc/image-checker/config.yaml
  image-checker registry login-check docker.io/library/nginx
  image-checker registry login-check ghcr.io/team/app -o json
`;

/** In characters: the registry wrote it. */
const MAX_REALM = 200;
/** Milliseconds: all attempts together. */
const TIME_LIMIT = 30_000;

interface Flags extends RegistryFlags {
  readonly output: 'text' | 'json';
}

export function addRegistryCommand(program: Command, context: CommandContext): void {
  const registry = program
    .command('registry')
    .description('looks at registries')
    .addHelpText('after', HELP);
  const command = registry
    .command('login-check')
    .description('tells whether the credentials for a registry work, and for what')
    .argument('<host[/repository]>', 'docker.io is Docker Hub');
  addRegistryOptions(command)
    .addOption(outputOption(['text', 'json']))
    .addHelpText('after', LOGIN_HELP)
    .action((place: string, flags: Flags) => loginCheck(place, flags, context));
}

async function loginCheck(place: string, flags: Flags, context: CommandContext): Promise<void> {
  const settings = await readRegistrySettings(flags, context);
  const signal = AbortSignal.timeout(TIME_LIMIT);
  const report = await checkLogin(readPlace(place), settings, registryDeps(context), signal);
  if (report.problem !== undefined) context.exitCode = EXIT.finding;
  const text = flags.output === 'json' ? json(report) : render(report);
  await new Output(context.stdout).write(text);
  if (report.problem !== undefined) writeProblems(context, 'error', [report.problem]);
}

function readPlace(place: string): { readonly registry: string; readonly repository: string } {
  const slash = place.indexOf('/');
  const host = (slash < 0 ? place : place.slice(0, slash)).toLowerCase();
  const repository = slash < 0 ? '' : place.slice(slash + 1);
  const isRepository = repository === '' || repository.split('/').every(isPathComponent);
  if (isRegistry(host) && isRepository && !place.endsWith('/')) {
    return { registry: canonicalRegistry(host), repository };
  }
  const message = `expected HOST or HOST/REPOSITORY, got ${JSON.stringify(place)}`;
  const hint = 'such as registry.example.com:5000/team/app, without a scheme and a tag';
  throw new ImageCheckerError('usage', { message, hint });
}

function render(report: LoginReport): string {
  const { registry, server, credentials, login, tokenService, scope, problem } = report;
  const lines = [
    `registry     ${registry}${server === registry ? '' : `, asked at ${server}`}`,
    `credentials  ${credentials ?? 'none'}`,
    `login        ${login ?? 'none'}${tokenService === null ? '' : `, tokens of ${printable(tokenService, MAX_REALM)}`}`,
    ...(scope === null ? [] : [`scope        ${scope}`]),
    `result       ${problem === undefined ? 'works' : 'does not work'}`,
  ];
  return `${lines.join('\n')}\n`;
}
