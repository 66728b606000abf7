import { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { shellWord } from '../files/shell-word.ts';
import { TARGETS } from './layout.ts';
import type { Layout, Target } from './layout.ts';
import { nextSteps } from './next-steps.ts';
import { normalizeIPv6 } from './server-host.ts';
import type { MadeFile, SetupResult } from './setup.ts';

/** Those that setup makes, and what each is for. */
export const CERTIFICATES: readonly (readonly [Target, string])[] = [
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

/** As `ls` and `chmod` have it. */
export function octal(mode: number): string {
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
  const steps = nextSteps(result).map(({ what, commands }, index) => {
    const lines = commands.map((pieces) => `     ${pieces.join(' \\\n       ')}\n`).join('');
    return `${index + 1}. ${what}${lines === '' ? '' : ':'}\n${lines}`;
  });
  return `\nwhat comes next:\n${steps.join('')}${describeByHand(result.options.layout)}`;
}

/** What the last step does. */
function describeByHand({ admission, mounted }: Layout): string {
  const configuration = join(mounted, TARGETS.admissionConfiguration.name);
  return `   by hand instead: --enable-admission-plugins=ImagePolicyWebhook (after a comma where the flag is there
   already), ${shellWord(`--admission-control-config-file=${configuration}`)},
   and ${shellWord(admission)} mounted at ${shellWord(mounted)}, read-only
`;
}
