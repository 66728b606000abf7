import { stringify } from 'yaml';
import type { Attachment, SecretPlan } from './pull-secret.ts';

/** YAML for `kubectl apply -f -`, with the rest to do as comments. */
export function renderPlan({ secrets, attachments }: SecretPlan): string {
  const documents = secrets.map((secret) => `---\n${stringify(secret, { lineWidth: 0 })}`);
  return [...documents, ...attachments.map(renderAttachment)].join('');
}

/** The plan for programs: each attachment with the command that makes it. */
export function renderPlanJson({ secrets, attachments }: SecretPlan): object {
  const commanded = attachments.map((each) => ({ ...each, command: patchCommand(each) }));
  return { secrets, attachments: commanded };
}

function renderAttachment(attachment: Attachment): string {
  const { namespace, serviceAccount } = attachment;
  return [
    `# Then, so that the pods of service account ${serviceAccount} of ${namespace} use it; what it has stays, and`,
    '# once more changes nothing:',
    `#   ${patchCommand(attachment)}`,
    '',
  ].join('\n');
}

/**
 * No patch alone does it: the list has no key to merge by (that of a pod has), so that a merge, a
 * strategic one as well, replaces it, and an addition is made again. The patch is therefore made of
 * what is there, and refused when that has changed since.
 */
function patchCommand({ namespace, serviceAccount, secret }: Attachment): string {
  const place = `serviceaccount ${serviceAccount} --namespace ${namespace}`;
  const others = `{{range .imagePullSecrets}}{{if ne .name "${secret}"}}{"name":{{printf "%q" .name}}},{{end}}{{end}}`;
  const version = '"metadata":{"resourceVersion":"{{.metadata.resourceVersion}}"}';
  const patch = `{${version},"imagePullSecrets":[${others}{"name":"${secret}"}]}`;
  const merged = `kubectl get ${place} --output go-template='${patch}'`;
  return `kubectl patch ${place} --type merge --patch "$(${merged})"`;
}
