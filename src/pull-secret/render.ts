import { stringify } from 'yaml';
import type { Attachment, SecretPlan } from './pull-secret.ts';

/** YAML for `kubectl apply -f -`, with the rest to do as comments. */
export function renderPlan({ secrets, attachments }: SecretPlan): string {
  const documents = secrets.map((secret) => `---\n${stringify(secret, { lineWidth: 0 })}`);
  return [...documents, ...attachments.map(renderAttachment)].join('');
}

/** Two ways: an addition to a list needs one, and a merge would replace it. */
function renderAttachment({ namespace, serviceAccount, secret }: Attachment): string {
  const add = [{ op: 'add', path: '/imagePullSecrets/-', value: { name: secret } }];
  const first = { imagePullSecrets: [{ name: secret }] };
  const patch = `kubectl patch serviceaccount ${serviceAccount} --namespace ${namespace}`;
  return [
    `# Then, where service account ${serviceAccount} of ${namespace} has no imagePullSecrets:`,
    `#   ${patch} --type merge --patch '${JSON.stringify(first)}'`,
    '# and where it has some, which that would replace:',
    `#   ${patch} --type json --patch '${JSON.stringify(add)}'`,
    '',
  ].join('\n');
}
