import { X509Certificate } from 'node:crypto';
import type {
  CertificateTrust,
  KeylessTrust,
  Signers,
  TrustedIdentity,
  TrustedKey,
} from '../rules/registry-requirement.ts';
import type { Artefact } from './artefact.ts';
import { checkLeaf, isForSigningCode } from './certificate-chain.ts';
import { breathe } from './breathe.ts';
import { partsOf } from './certificate-parts.ts';
import { checkKeyless } from './keyless.ts';
import { isSignedBy } from './key-signature.ts';
import type { VerifyContext } from './resolved-image.ts';

/** Somebody trusted who made a signature. */
export interface Signer {
  /** Two with the same id are one: of a key its id, of an identity its name and issuer. */
  readonly id: string;
  /** For messages: how the rules name the key, or the name in the certificate. */
  readonly name: string;
  /** Who vouched for the name, of a keyless signature. */
  readonly issuer?: string | undefined;
}

export interface Vouching {
  /** Who of the trusted signed; empty when nobody did. */
  readonly signers: readonly Signer[];
  /** The names in a certificate that is in order but is of nobody trusted; for messages alone. */
  readonly strangers: readonly Signer[];
  /** Why nobody did, as what to say of the signature: `by no trusted key`. */
  readonly reason: string | undefined;
}

/** A leaf and what leads up to a root: each may have to be held against each. */
const MAX_CERTIFICATES = 5;
/** Bytes: whoever may push makes them, and what is in them costs time to read. */
const MAX_CERTIFICATE_BYTES = 16 * 1024;

/**
 * Who of the trusted signers signed an artefact. What it says is not looked at.
 *
 * @throws {ImageCheckerError} `registry-limited` when the deadline is over
 */
export async function findSigners(
  artefact: Artefact,
  trusted: Signers,
  { now, signal }: Pick<VerifyContext, 'now' | 'signal'>,
): Promise<Vouching> {
  await breathe(signal);
  if (trusted.certificates !== undefined) {
    return findIdentity(artefact, trusted.certificates, now());
  }
  if (trusted.keyless !== undefined) return findKeylessIdentity(artefact, trusted.keyless);
  const signers = await findKeys(artefact, trusted.keys, signal);
  const reason = signers.length > 0 ? undefined : 'by no trusted key';
  return { signers, strangers: [], reason };
}

/** Every key is tried on every signature: what an artefact says of its key is not signed. */
async function findKeys(
  { signed, signatures }: Artefact,
  keys: readonly TrustedKey[],
  signal: AbortSignal,
): Promise<Signer[]> {
  const found: Signer[] = [];
  for (const signature of signatures) {
    const key = await findKey(signed, signature, keys, signal);
    if (key !== undefined) found.push({ id: key.id, name: key.source });
  }
  return found;
}

async function findKey(
  signed: Uint8Array,
  signature: Uint8Array,
  keys: readonly TrustedKey[],
  signal: AbortSignal,
): Promise<TrustedKey | undefined> {
  for (const each of keys) {
    await breathe(signal);
    if (await isSignedBy(each.key, signed, signature)) return each;
  }
  return undefined;
}

const nobody = (reason: string): Vouching => ({ signers: [], strangers: [], reason });

const noneOf = (strangers: readonly Signer[]): Vouching => ({
  signers: [],
  strangers,
  reason: 'by no trusted identity',
});

const somebody = (signer: Signer): Vouching => ({
  signers: [signer],
  strangers: [],
  reason: undefined,
});

async function findIdentity(
  artefact: Artefact,
  trust: CertificateTrust,
  now: number,
): Promise<Vouching> {
  const [leaf, ...offered] = readCertificates(artefact.certificates);
  if (leaf === undefined) return nobody('without a certificate');
  if (!(await isSignedByAny(artefact, leaf))) return nobody('not by its certificate');
  const checked = checkLeaf(leaf, offered, trust, now);
  if (!checked.ok) return nobody(checked.reason);
  const name = trustedName(checked.names, trust.identities);
  if (name === undefined) return noneOf(checked.names.map((each) => ({ id: each, name: each })));
  return somebody({ id: name, name });
}

async function isSignedByAny(
  { signed, signatures }: Artefact,
  { publicKey }: X509Certificate,
): Promise<boolean> {
  for (const signature of signatures) {
    if (await isSignedBy(publicKey, signed, signature)) return true;
  }
  return false;
}

function readCertificates(certificates: readonly Uint8Array[]): readonly X509Certificate[] {
  if (certificates.some(({ length }) => length > MAX_CERTIFICATE_BYTES)) return [];
  try {
    const read = certificates.slice(0, MAX_CERTIFICATES).map((der) => new X509Certificate(der));
    // Node reads a key when it is asked for, and throws when it cannot.
    return read.every(({ publicKey }) => publicKey.type === 'public') ? read : [];
  } catch {
    return [];
  }
}

function trustedName(
  names: readonly string[],
  identities: readonly TrustedIdentity[],
): string | undefined {
  return names.find((name) => identities.some((identity) => identity.matches(name)));
}

/** The certificate is the one that the library verified, not what another reader took for it. */
function findKeylessIdentity(artefact: Artefact, trust: KeylessTrust): Vouching {
  const checked = checkKeyless(artefact, trust);
  if (!checked.ok) return nobody(checked.reason);
  const [leaf] = readCertificates([checked.leaf]);
  const parts = leaf && partsOf(leaf);
  if (leaf === undefined || parts === undefined)
    return nobody('with a certificate that cannot be read');
  if (!isForSigningCode(leaf)) return nobody('with a certificate that is not for signing code');
  const { issuer } = parts;
  const identities = trust.identities.filter((identity) => identity.issuer === issuer);
  const name = issuer === undefined ? undefined : trustedName(parts.names, identities);
  const signerBy = (each: string): Signer => ({ id: `${issuer} ${each}`, name: each, issuer });
  return name === undefined ? noneOf(parts.names.map(signerBy)) : somebody(signerBy(name));
}
