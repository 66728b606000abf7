import type { X509Certificate } from 'node:crypto';
import type { Findings } from './finding.ts';
import type { CertificateFile } from './pem-file.ts';
import { subjectOf } from '../setup/pem.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A month is enough for the slowest of change boards. */
const WARN_DAYS = 30;

interface Today {
  readonly now: Date;
  readonly findings: Findings;
}

type Files = readonly (CertificateFile | undefined)[];

export function checkDates(leaves: Files, bundles: Files, today: Today): void {
  for (const leaf of leaves) {
    for (const certificate of leaf?.certificates ?? []) {
      checkDate(certificate, leaf?.file ?? '', today);
    }
  }
  for (const bundle of bundles) if (bundle !== undefined) checkBundle(bundle, today);
}

/** While a CA is changed, the old one may end beside the new one. */
function checkBundle({ file, certificates }: CertificateFile, today: Today): void {
  const good = certificates.filter((one) => stateOf(one, today.now) === undefined);
  for (const certificate of good.length > 0 ? good : certificates) {
    checkDate(certificate, file, today);
  }
}

function checkDate(certificate: X509Certificate, file: string, { now, findings }: Today): void {
  const subject = subjectOf(certificate);
  const state = stateOf(certificate, now);
  if (state !== undefined) {
    const hint = '`image-checker certs renew` makes new ones';
    const message = `expected ${subject} to be valid now, got one that ${state}`;
    findings.fail('certificate-valid', { file, message, hint });
    return;
  }
  findings.ok('certificate-valid', `${subject} is valid`, file);
  const days = Math.floor((Date.parse(certificate.validTo) - now.getTime()) / DAY_MS);
  if (days >= WARN_DAYS) {
    findings.ok('certificate-ending', `${subject} has ${days} days left`, file);
    return;
  }
  const message = `${subject} has ${days} days left`;
  findings.warn('certificate-ending', { file, message, hint: 'run `image-checker certs renew`' });
}

function stateOf({ validFrom, validTo }: X509Certificate, now: Date): string | undefined {
  if (new Date(validTo) < now) return `ended on ${validTo}`;
  return new Date(validFrom) > now ? `begins on ${validFrom}` : undefined;
}
