import { ImageCheckerError } from '../errors.ts';
import { callKubectl } from './kubectl.ts';
import type { Kubectl } from './kubectl.ts';
import type { Attachment, SecretPlan } from './pull-secret.ts';

/** How often a service account that somebody else changes meanwhile is read again. */
const MAX_ATTEMPTS = 3;

/**
 * Gives the plan to kubectl, and returns what it says, a line each. Secrets go through its standard
 * input, and by server-side apply, which keeps no second copy of them in an annotation.
 *
 * @throws {ImageCheckerError} `kube-unreachable` at the first call that fails
 */
export async function applyPlan(plan: SecretPlan, kubectl: Kubectl): Promise<readonly string[]> {
  const said: string[] = [];
  for (const secret of plan.secrets) {
    const apply = ['apply', '--server-side', '--force-conflicts', '--field-manager=image-checker'];
    said.push(await callKubectl(kubectl, [...apply, '-f', '-'], JSON.stringify(secret)));
  }
  for (const attachment of plan.attachments) said.push(await attach(attachment, kubectl));
  return said;
}

/** What is there stays there: the list has no key to merge by, a merge patch would replace it. */
async function attach(attachment: Attachment, kubectl: Kubectl): Promise<string> {
  const { namespace, serviceAccount, secret } = attachment;
  const place = ['serviceaccount', serviceAccount, '--namespace', namespace];
  for (let attempt = 1; ; attempt++) {
    const account = read(await callKubectl(kubectl, ['get', ...place, '--output', 'json']));
    if (account.names.includes(secret)) return `serviceaccount/${serviceAccount} unchanged`;
    const patch = JSON.stringify(patchOf(account, secret));
    try {
      return await callKubectl(kubectl, ['patch', ...place, '--type', 'json', '--patch', patch]);
    } catch (thrown) {
      if (attempt === MAX_ATTEMPTS) throw thrown;
    }
  }
}

interface Account {
  readonly resourceVersion: string;
  readonly names: readonly string[];
}

/** Fails when the service account has changed since it was read. */
function patchOf({ resourceVersion, names }: Account, name: string): readonly object[] {
  const isSame = { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion };
  const add =
    names.length === 0
      ? { op: 'add', path: '/imagePullSecrets', value: [{ name }] }
      : { op: 'add', path: '/imagePullSecrets/-', value: { name } };
  return [isSame, add];
}

function read(text: string): Account {
  const account = JSON.parse(text) as {
    readonly metadata?: { readonly resourceVersion?: unknown };
    readonly imagePullSecrets?: readonly { readonly name?: unknown }[];
  };
  const resourceVersion = account.metadata?.resourceVersion;
  if (typeof resourceVersion !== 'string') {
    const message = 'expected a service account of kubectl get, got something else';
    throw new ImageCheckerError('kube-unreachable', { message });
  }
  return {
    resourceVersion,
    names: (account.imagePullSecrets ?? []).map(({ name }) => String(name)),
  };
}
