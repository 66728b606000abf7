import { X509Certificate } from 'node:crypto';
import { nextSteps } from './next-steps.ts';
import type { NextStep } from './next-steps.ts';
import { altNamesOf, subjectOf } from './pem.ts';
import { CERTIFICATES, octal } from './report.ts';
import type { SetupResult } from './setup.ts';
import { signingRequestsIn } from './signing-requests.ts';
import { folderFlags } from './shell-text.ts';

/** What setup made, and what comes next, for programs; no key is in it. */
export function setupJson(result: SetupResult): object {
  const { made, backup = null, options } = result;
  const requests = options.issuer?.kind === 'elsewhere' ? signingRequestsIn(options.layout) : [];
  return {
    files: made.map(({ path, mode }) => ({ path, mode: octal(mode) })),
    certificates: certificatesOf(result),
    signingRequests: requests,
    backup,
    nextSteps: stepsOf(result).map(({ what, commands }) => ({
      what,
      commands: commands.map((pieces) => pieces.join(' ')),
    })),
  };
}

function certificatesOf({ made }: SetupResult): readonly object[] {
  return CERTIFICATES.flatMap(([target, role]) => {
    const file = made.find((one) => one.target === target);
    if (file === undefined) return [];
    const certificate = new X509Certificate(file.content);
    return [
      {
        ...{ file: file.path, role },
        subject: subjectOf(certificate),
        names: altNamesOf(certificate),
        sha256: certificate.fingerprint256,
        notAfter: new Date(certificate.validTo),
      },
    ];
  });
}

function stepsOf(result: SetupResult): readonly NextStep[] {
  const { made, backup, options } = result;
  const steps: NextStep[] = [];
  if (options.issuer?.kind === 'elsewhere') {
    const what =
      'have the signing requests signed by your CA, and put certificates and CA in place';
    steps.push({ what, commands: [[`image-checker certs show${folderFlags(options.layout)}`]] });
  }
  if (backup !== undefined) {
    steps.push({ what: 'restart image-checker and kube-apiserver: the CA is new', commands: [] });
  }
  return made.length === 0 ? steps : [...steps, ...nextSteps(result)];
}
