import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ImageCheckerError } from '../errors.ts';
import { readExisting } from './inventory.ts';
import { pathOf } from './layout.ts';
import type { Layout } from './layout.ts';
import { bundleOf, certificatesIn, isIssuedBy, isSame, subjectOf } from './pem.ts';
import type { Credential } from './pki.ts';

/** Where a CA that can sign lies. */
export interface AuthorityFiles {
  /** The CA's certificate first; those above it, up to a root, behind it. */
  readonly certificate: string;
  readonly key: string;
  /** What helps when the CA is of no use. */
  readonly hint: string;
}

const ANEW = 'bring back the CA that made the other files, or make everything anew with --force';

/** Smaller ones are refused by OpenSSL and by Go. */
const SMALLEST_RSA_BITS = 2048;
const CURVES = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
]);

/** The CA of an earlier run. */
export function ownAuthority(layout: Layout, hint = ANEW): AuthorityFiles {
  return { certificate: pathOf(layout, 'caCertificate'), key: pathOf(layout, 'caKey'), hint };
}

/**
 * A CA that is there, good for signing.
 *
 * @returns of the certificate's file only the certificates
 * @throws ImageCheckerError `setup-refused` when it is not, `file-unreadable`
 */
export async function readAuthority(files: AuthorityFiles, now: Date): Promise<Credential> {
  const certificate = await readAuthorityCertificate(files, now);
  const [issuer] = certificatesIn(certificate);
  const key = await read(files.key, files);
  if (issuer !== undefined)
    checkKey(
      parse(files.key, files, () => createPrivateKey(key)),
      issuer,
      files,
    );
  return { certificate, key };
}

/** The certificate of a CA in force and those above it, PEM; its key may be elsewhere. */
export async function readAuthorityCertificate(files: AuthorityFiles, now: Date): Promise<string> {
  const text = await read(files.certificate, files);
  const certificates = parse(files.certificate, files, () => certificatesIn(text));
  const [certificate] = certificates;
  const refuse = refusing(files.certificate, files);
  if (certificate === undefined) return refuse('expected PEM certificates, got none');
  if (!certificate.ca) refuse('expected a CA, got a certificate of another kind');
  if (new Date(certificate.validTo) <= now) {
    refuse(`expected a CA in force, got one that ended on ${certificate.validTo}`);
  }
  checkRoot(certificate, certificates, files);
  return bundleOf(certificates);
}

/** @throws ImageCheckerError `setup-refused` when the leaf does not chain up to the CA. */
export function checkIssued(leaf: Credential, authority: Credential): void {
  const issuer = new X509Certificate(authority.certificate);
  if (isIssuedBy(new X509Certificate(leaf.certificate), issuer)) return;
  const message = 'expected a CA that can be named as an issuer, got one that cannot';
  throw new ImageCheckerError('setup-refused', { message, hint: ANEW });
}

/** Behind a leaf go the CAs between it and the root, for who has the root alone. */
export function withChain(leaf: Credential, authority: Credential): string {
  const between = certificatesIn(authority.certificate).filter((one) => !isIssuedBy(one, one));
  return bundleOf([...certificatesIn(leaf.certificate), ...between]);
}

function checkKey(key: KeyObject, certificate: X509Certificate, files: AuthorityFiles): void {
  const refuse = refusing(files.key, files);
  const got = keyProblem(key);
  if (got !== undefined) refuse(`expected an RSA key or one on P-256 or P-384, got ${got}`);
  if (!certificate.checkPrivateKey(key)) {
    refuse(`expected the key of ${files.certificate}, got another`);
  }
}

function keyProblem({
  asymmetricKeyType: type,
  asymmetricKeyDetails,
}: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails ?? {};
  if (type === 'rsa') {
    return modulusLength < SMALLEST_RSA_BITS ? `RSA with ${modulusLength} bits` : undefined;
  }
  if (type === 'ec') return CURVES.has(namedCurve) ? undefined : `one on ${namedCurve}`;
  return type ?? 'another';
}

/** OpenSSL, which verifies clients for the service, takes no CA without its root. */
function checkRoot(
  authority: X509Certificate,
  certificates: readonly X509Certificate[],
  files: AuthorityFiles,
): void {
  const top = topOf(authority, certificates);
  if (isIssuedBy(top, top)) return;
  const message = `expected the CAs above it up to a root behind it, got none above ${subjectOf(top)}`;
  refusing(files.certificate, files)(message);
}

function topOf(
  certificate: X509Certificate,
  certificates: readonly X509Certificate[],
): X509Certificate {
  const others = certificates.filter((other) => !isSame(other, certificate));
  const above = others.find((other) => isIssuedBy(certificate, other));
  return above === undefined ? certificate : topOf(above, others);
}

async function read(path: string, { hint }: AuthorityFiles): Promise<string> {
  try {
    return (await readExisting(path)).toString();
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    const problems = thrown.problems.map((problem) => ({ hint, ...problem }));
    throw new ImageCheckerError(thrown.code, problems, { cause: thrown.cause });
  }
}

function parse<T>(file: string, files: AuthorityFiles, parser: () => T): T {
  try {
    return parser();
  } catch {
    return refusing(file, files)('expected PEM, not encrypted, got something else');
  }
}

function refusing(file: string, { hint }: AuthorityFiles): (message: string) => never {
  return (message) => {
    throw new ImageCheckerError('setup-refused', { file, message, hint });
  };
}
