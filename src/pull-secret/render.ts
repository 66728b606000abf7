import { stringify } from 'yaml';
import type { SecretPlan } from './pull-secret.ts';

/** YAML for `kubectl apply -f -`, with the rest to do as comments. */
export function renderPlan({ secrets, patches }: SecretPlan): string {
  const documents = secrets.map((secret) => `---\n${stringify(secret, { lineWidth: 0 })}`);
  const commands = patches.map(
    ({ namespace, serviceAccount, patch }) =>
      `# kubectl patch serviceaccount ${serviceAccount} --namespace ${namespace} --patch '${JSON.stringify(patch)}'\n`,
  );
  return [
    ...documents,
    '# Then, for the pods of the service account to use it:\n',
    ...commands,
  ].join('');
}
