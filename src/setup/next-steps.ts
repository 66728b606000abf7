import { shellWord } from '../files/shell-word.ts';
import { serviceUrl } from './kubeconf.ts';
import { pathOf } from './layout.ts';
import type { Layout } from './layout.ts';
import type { SetupResult } from './setup.ts';
import { folderFlags } from './shell-text.ts';

/** Something that setup leaves to the operator. */
export interface NextStep {
  readonly what: string;
  /** For a shell; each in pieces that may go on lines of their own. */
  readonly commands: readonly (readonly string[])[];
}

/** From the files that were made to a kube-apiserver that asks the service. */
export function nextSteps(result: SetupResult): readonly NextStep[] {
  const { layout, adminPort } = result.options;
  const flags = enableFlags(layout);
  return [
    { what: `read ${pathOf(layout, 'rules')}: whatever it does not allow is denied`, commands: [] },
    {
      what: 'start the service, and keep it running before kube-apiserver asks it',
      commands: [[`image-checker serve --config ${shellWord(pathOf(layout, 'serviceConfig'))}`]],
    },
    {
      what: 'see that it is ready, and that it answers',
      commands: [
        [`curl http://127.0.0.1:${adminPort}/readyz`],
        curlReview(layout, serviceUrl(result.host, result.port)),
      ],
    },
    {
      what: "on the control-plane node, see what would be changed in kube-apiserver's manifest, then do it",
      commands: [[`image-checker enable --dry-run${flags}`], [`image-checker enable${flags}`]],
    },
  ];
}

function enableFlags(layout: Layout): string {
  const { admission, mounted } = layout;
  return `${folderFlags(layout)}${mounted === admission ? '' : ` --mount-path ${shellWord(mounted)}`}`;
}

/** A review as kube-apiserver sends it, as kube-apiserver. */
function curlReview(layout: Layout, url: string): readonly string[] {
  const review = {
    apiVersion: 'imagepolicy.k8s.io/v1alpha1',
    kind: 'ImageReview',
    spec: { containers: [{ image: 'docker.io/nginx' }], namespace: 'default' },
  };
  return [
    `curl --cacert ${shellWord(pathOf(layout, 'externalCa'))}`,
    `--cert ${shellWord(pathOf(layout, 'clientCertificate'))}`,
    `--key ${shellWord(pathOf(layout, 'clientKey'))}`,
    `-H 'Content-Type: application/json' -d ${shellWord(JSON.stringify(review))}`,
    shellWord(url),
  ];
}
