import { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { shellWord } from '../files/shell-word.ts';
import { serviceUrl } from './kubeconf.ts';
import { pathOf, TARGETS } from './layout.ts';
import type { Layout, Target } from './layout.ts';
import { normalizeIPv6 } from './server-host.ts';
import type { MadeFile, SetupResult } from './setup.ts';
import { folderFlags } from './shell-text.ts';

const CERTIFICATES: readonly (readonly [Target, string])[] = [
  ['caCertificate', 'CA'],
  ['serverCertificate', 'server'],
  ['clientCertificate', 'client'],
];

/** What setup made, and what comes next. */
export function reportSetup(result: SetupResult): string {
  const { made, options } = result;
  const { admission, service } = options.layout;
  if (made.length === 0) return `nothing is missing in ${admission} and ${service}\n`;
  return [
    describeFiles(made),
    describeCertificates(made),
    describeBackup(result),
    describeNextSteps(result),
  ].join('');
}

function describeFiles(made: readonly MadeFile[]): string {
  const inOrder = made.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const lines = inOrder.map(({ path, mode }) => `  ${octal(mode)} ${path}\n`);
  return `made ${made.length} ${made.length === 1 ? 'file' : 'files'}:\n${lines.join('')}`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function describeCertificates(made: readonly MadeFile[]): string {
  const lines = CERTIFICATES.flatMap(([target, title]) => {
    const file = made.find((one) => one.target === target);
    return file === undefined ? [] : [`  ${title}: ${describeCertificate(file.content)}\n`];
  });
  return lines.length === 0 ? '' : `\ncertificates:\n${lines.join('')}`;
}

function describeCertificate(pem: string): string {
  const certificate = new X509Certificate(pem);
  const until = new Date(certificate.validTo).toISOString().slice(0, 10);
  const names = certificate.subjectAltName?.split(', ').map(readableName).join(', ');
  const name = certificate.subject.replace('CN=', '');
  return `${name}, until ${until}${names === undefined ? '' : `, for ${names}`}`;
}

function readableName(written: string): string {
  const name = written.replace(/^(?:DNS|IP Address):/, '');
  return isIPv6(name) ? normalizeIPv6(name) : name;
}

function describeBackup({ backup }: SetupResult): string {
  if (backup === undefined) return '';
  return `
what was there is kept in ${backup}
the CA is a new one: restart image-checker and kube-apiserver (before v1.36 it reads the CA only when
it starts)
`;
}

function describeNextSteps(result: SetupResult): string {
  const { layout, adminPort } = result.options;
  const configuration = join(layout.mounted, TARGETS.admissionConfiguration.name);
  const flags = enableFlags(layout);
  return `
what comes next:
1. read ${pathOf(layout, 'rules')}: whatever it does not allow is denied
2. start the service, and keep it running before kube-apiserver asks it:
     image-checker serve --config ${shellWord(pathOf(layout, 'serviceConfig'))}
3. see that it is ready, and that it answers:
     curl http://127.0.0.1:${adminPort}/readyz
     ${curlReview(layout, serviceUrl(result.host, result.port))}
4. on the control-plane node, see what would be changed in kube-apiserver's manifest, then do it:
     image-checker enable --dry-run${flags}
     image-checker enable${flags}
   by hand instead: --enable-admission-plugins=ImagePolicyWebhook (after a comma where the flag is there
   already), ${shellWord(`--admission-control-config-file=${configuration}`)},
   and ${shellWord(layout.admission)} mounted at ${shellWord(layout.mounted)}, read-only
`;
}

function enableFlags(layout: Layout): string {
  const { admission, mounted } = layout;
  return `${folderFlags(layout)}${mounted === admission ? '' : ` --mount-path ${shellWord(mounted)}`}`;
}

/** A review as kube-apiserver sends it, as kube-apiserver. */
function curlReview(layout: Layout, url: string): string {
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
  ].join(' \\\n       ');
}
