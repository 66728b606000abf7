import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ImageCheckerError } from '../errors.ts';
import { readExisting } from './inventory.ts';
import { pathOf } from './layout.ts';
import type { Layout } from './layout.ts';
import type { Credential } from './pki.ts';

/** What helps when the CA that is there is of no use. */
const ANEW = 'bring back the CA that made the other files, or make everything anew with --force';

/**
 * The CA of an earlier run, good for signing.
 *
 * @throws ImageCheckerError `setup-refused` when it is not, `file-unreadable`
 */
export async function readAuthority(layout: Layout, now: Date): Promise<Credential> {
  const certificatePath = pathOf(layout, 'caCertificate');
  const keyPath = pathOf(layout, 'caKey');
  const credential = {
    certificate: (await readExisting(certificatePath)).toString(),
    key: (await readExisting(keyPath)).toString(),
  };
  const certificate = parse(certificatePath, () => new X509Certificate(credential.certificate));
  const key = parse(keyPath, () => createPrivateKey(credential.key));
  checkAuthority(certificate, key, { certificatePath, keyPath, now });
  return credential;
}

/** @throws ImageCheckerError `setup-refused` when the leaf does not chain up to the CA. */
export function checkIssued(leaf: Credential, authority: Credential): void {
  const certificate = new X509Certificate(leaf.certificate);
  const issuer = new X509Certificate(authority.certificate);
  if (certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)) return;
  const message = 'expected a CA that can be named as an issuer, got one that cannot';
  throw new ImageCheckerError('setup-refused', { message, hint: ANEW });
}

function checkAuthority(
  certificate: X509Certificate,
  key: KeyObject,
  { certificatePath, keyPath, now }: { certificatePath: string; keyPath: string; now: Date },
): void {
  if (key.asymmetricKeyType !== 'rsa') {
    refuse(keyPath, `expected an RSA key, got ${key.asymmetricKeyType ?? 'another'}`);
  }
  if (!certificate.checkPrivateKey(key)) {
    refuse(keyPath, `expected the key of ${certificatePath}, got another`);
  }
  if (!certificate.ca) refuse(certificatePath, 'expected a CA, got a certificate of another kind');
  if (new Date(certificate.validTo) <= now) {
    refuse(certificatePath, `expected a CA in force, got one that ended on ${certificate.validTo}`);
  }
}

function parse<T>(file: string, parser: () => T): T {
  try {
    return parser();
  } catch {
    return refuse(file, 'expected PEM, not encrypted, got something else');
  }
}

function refuse(file: string, message: string): never {
  throw new ImageCheckerError('setup-refused', { file, message, hint: ANEW });
}
