import { createPrivateKey } from 'node:crypto';
import type { KeyObject, X509Certificate } from 'node:crypto';
import { messageOf } from '../errors.ts';
import { certificatesIn, subjectOf } from '../setup/pem.ts';
import { readDisk } from './disk.ts';
import type { Findings } from './finding.ts';
import type { PemText } from './kubeconf-checks.ts';

/** A PEM file with the certificates in it. */
export interface CertificateFile {
  readonly file: string;
  readonly text: string;
  /** At least one; of a chain the leaf first. */
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
}

export interface KeyFile {
  readonly file: string;
  readonly text: string;
  readonly key: KeyObject;
}

/** A file of the service's own, which has to be there. */
export async function readPem(file: string, findings: Findings): Promise<PemText | undefined> {
  const read = await readDisk(file);
  if (!('problem' in read)) return { file, text: read.text, disk: read };
  const hint = '`image-checker setup --if-missing` makes what is missing';
  findings.fail('certificate-readable', { hint, ...read.problem });
  return undefined;
}

export function parseCertificates(
  pem: PemText | undefined,
  findings: Findings,
): CertificateFile | undefined {
  if (pem === undefined) return undefined;
  const { file, text } = pem;
  try {
    const [first, ...rest] = certificatesIn(text);
    if (first !== undefined) {
      findings.ok('certificate-readable', `holds ${subjectOf(first)}`, file);
      return { file, text, certificates: [first, ...rest] };
    }
    const message = 'expected a PEM certificate, got none';
    findings.fail('certificate-readable', { file, message });
  } catch (thrown) {
    const message = `expected a PEM certificate, got something else: ${messageOf(thrown)}`;
    findings.fail('certificate-readable', { file, message });
  }
  return undefined;
}

export function parseKey(pem: PemText | undefined, findings: Findings): KeyFile | undefined {
  if (pem === undefined) return undefined;
  const { file, text } = pem;
  try {
    return { file, text, key: createPrivateKey(text) };
  } catch {
    // The library's message says nothing about the file and might quote from it.
    const message = 'expected a PEM private key without a passphrase, got something else';
    findings.fail('certificate-readable', { file, message });
    return undefined;
  }
}
