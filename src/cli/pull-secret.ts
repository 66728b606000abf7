import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { applyPlan } from '../pull-secret/apply.ts';
import { planPullSecret } from '../pull-secret/pull-secret.ts';
import type { SecretPlan } from '../pull-secret/pull-secret.ts';
import { readAuths } from '../pull-secret/read-auths.ts';
import { renderPlan, renderPlanJson } from '../pull-secret/render.ts';
import type { CommandContext } from './context.ts';
import { dockerConfigFile } from './open-registry.ts';
import { collect, outputOption, readNamespace } from './options.ts';
import { json, Output } from './output.ts';

const HELP = `
Prints the Secret with which kubelets pull from private registries, one for each namespace, and
the command that makes the pods of a service account use it. With --apply kubectl does both. Either
way what the service account has already stays, and doing it again changes nothing. -o json writes
  {"secrets":[Secret],"attachments":[{"namespace","serviceAccount","secret","command"}]}
and with --apply what kubectl said, a list of lines.

The credentials are those of docker's config.json on this machine, also where a credential helper
keeps them. Without --registry all of them are taken: name those that the cluster needs.

Exit code 0 when it is done, 2 when the call or a file is wrong, or kubectl fails.

Examples:
  image-checker pull-secret --registry registry.example.com -n prod-shop
  image-checker pull-secret --registry docker.io -n dev -n test --apply
  image-checker pull-secret --docker-config puller.json --service-account builder -n ci -o json
`;

interface Flags {
  readonly dockerConfig?: string;
  readonly registry?: readonly string[];
  readonly namespace?: readonly string[];
  readonly name: string;
  readonly serviceAccount: string;
  readonly apply?: boolean;
  readonly kubeconfig?: string;
  readonly output: 'text' | 'json';
}

export function addPullSecretCommand(program: Command, context: CommandContext): void {
  program
    .command('pull-secret')
    .description('makes the Secret with which a cluster pulls from private registries')
    .option('--docker-config <file>', "in docker's format (default: config.json of docker login)")
    .option('--registry <host>', 'a registry to take, repeatable', collect)
    .option('-n, --namespace <name>', 'where to, repeatable (default: default)', collectNamespace)
    .option('--name <name>', 'of the Secret', readName, 'image-pull')
    .option('--service-account <name>', 'whose pods use it', readName, 'default')
    .option('--apply', 'gives it to kubectl instead of printing it')
    .option('--kubeconfig <file>', 'of kubectl, with --apply')
    .addOption(outputOption(['text', 'json']))
    .addHelpText('after', HELP)
    .action((flags: Flags) => pullSecret(flags, context));
}

/** Milliseconds for credential helpers. */
const TIME_LIMIT = 30_000;

async function pullSecret(flags: Flags, context: CommandContext): Promise<void> {
  const { dockerConfig, name, serviceAccount } = flags;
  const auths = await readAuths({
    file:
      dockerConfig === undefined ? dockerConfigFile(context) : resolve(context.cwd, dockerConfig),
    registries: flags.registry ?? [],
    env: context.env,
    signal: AbortSignal.timeout(TIME_LIMIT),
  });
  const namespaces = [...new Set(flags.namespace ?? ['default'])];
  const plan = planPullSecret(auths, { name, namespaces, serviceAccount });
  const output = new Output(context.stdout);
  await output.write(flags.apply === true ? await apply(plan, flags, context) : print(plan, flags));
}

async function apply(plan: SecretPlan, flags: Flags, context: CommandContext): Promise<string> {
  const { kubeconfig } = flags;
  const file = kubeconfig === undefined ? undefined : resolve(context.cwd, kubeconfig);
  const said = await applyPlan(plan, { kubeconfig: file, env: context.env });
  return flags.output === 'json' ? json(said) : `${said.join('\n')}\n`;
}

function print(plan: SecretPlan, flags: Flags): string {
  return flags.output === 'json' ? json(renderPlanJson(plan)) : renderPlan(plan);
}

function collectNamespace(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, readNamespace(value)];
}

/** RFC 1123 subdomain, as Kubernetes asks of a Secret and a service account. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

function readName(written: string): string {
  if (NAME.test(written)) return written;
  throw new InvalidArgumentError('expected a name of Kubernetes: lower case, digits, "-" and "."');
}
