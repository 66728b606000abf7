import { pathOf } from './layout.ts';
import type { Layout } from './layout.ts';
import { altNamesOf, certificatesIn, subjectOf } from './pem.ts';
import type { RenewResult, RenewStep } from './renew-change.ts';
import { folderFlags } from './shell-text.ts';

const TITLES: Readonly<Record<RenewStep, string>> = {
  leaves: 'renewed, from the same CA',
  'trust-both': 'step 1 of 3: both sides trust the new CA beside the old one',
  'change-over': 'step 2 of 3: new keys and certificates, from the new CA',
  'forget-old': 'step 3 of 3: the old CA is trusted no more',
};

/** What was made, until when it is good, and what comes next. */
export function reportRenewal(result: RenewResult): string {
  const { step, backup } = result;
  const files = filesOf(result).map(({ path, certificates }) => {
    const lines = certificates.map((each) => `      ${each}\n`).join('');
    return `  ${path}\n${lines}`;
  });
  const kept = backup === undefined ? '' : `\nwhat was there is kept in ${backup}\n`;
  return `${TITLES[step]}:\n${files.join('')}${kept}\n${whatIsNext(result)}\n`;
}

/** The same for programs. */
export function renewJson(result: RenewResult): string {
  const { step, backup = null } = result;
  const next = whatIsNext(result).replaceAll('\n', ' ');
  return `${JSON.stringify({ step, files: filesOf(result), backup, next }, undefined, 2)}\n`;
}

interface FileSummary {
  readonly path: string;
  /** Of those that are in it; none in a key. */
  readonly certificates: readonly string[];
}

function filesOf({ made }: RenewResult): FileSummary[] {
  return made.map(({ path, content }) => {
    const certificates = certificatesIn(content.toString()).map((certificate) => {
      const until = new Date(certificate.validTo).toISOString().slice(0, 10);
      const names = altNamesOf(certificate);
      const suffix = names.length === 0 ? '' : `, for ${names.join(', ')}`;
      return `${subjectOf(certificate)}, until ${until}${suffix}`;
    });
    return { path, certificates };
  });
}

function whatIsNext({ step, layout }: RenewResult): string {
  switch (step) {
    case 'leaves':
      return `a running service takes the new files within 2 seconds ('certificates reloaded' in its log),
kube-apiserver reads its own with its next connection: neither needs a restart
${copies(layout)}`;
    case 'trust-both':
      return `what comes next:
1. ${copies(layout)}
2. restart every kube-apiserver that uses ${pathOf(layout, 'externalCa')}:
   before v1.36 it reads that file only when it starts; from v1.36 on, wait 5 minutes instead
3. see 'certificates reloaded' in the log of the service
4. run: image-checker certs renew --ca --yes${folderFlags(layout)}`;
    case 'change-over':
      return `neither the service nor kube-apiserver needs a restart
${copies(layout)}
in 5 minutes, when reviews go on as before, run:
  image-checker certs renew --ca${folderFlags(layout)}`;
    case 'forget-old':
      return `a kube-apiserver before v1.36 goes on trusting the old CA until it restarts: restart it where the
old CA's key may be in wrong hands. That key, if it was here, is in the backup that step 2 made
${copies(layout)}`;
  }
}

function copies({ admission }: Layout): string {
  return `where other nodes hold copies of ${admission}, copy its *.pem there`;
}
