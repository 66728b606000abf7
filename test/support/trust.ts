import { X509Certificate } from 'node:crypto';
import type {
  SignatureRequirement,
  Signers,
  TrustedIdentity,
} from '../../src/rules/registry-requirement.ts';
import type { SigningKey } from './cosign.ts';
import type { Issued } from './x509.ts';

/** Trust in these keys. */
export function trustKeys(...keys: readonly SigningKey[]): Signers {
  const trusted = keys.map((key) => key.trusted);
  return { keys: trusted, certificates: undefined, keyless: undefined };
}

/** Trust in exactly this name, by these authorities. */
export function trustCertificates(
  roots: readonly Issued[],
  names: readonly string[],
  intermediates: readonly Issued[] = [],
): Signers {
  const parse = ({ pem }: Issued): X509Certificate => new X509Certificate(pem);
  const certificates = {
    roots: roots.map(parse),
    intermediates: intermediates.map(parse),
    identities: names.map((name) => identity(name)),
  };
  return { keys: [], certificates, keyless: undefined };
}

export function identity(name: string, issuer?: string): TrustedIdentity {
  return { source: name, matches: (san) => san === name, issuer };
}

/** One signature by any of these signers, unless more is said. */
export function requireSignature(
  signers: Signers,
  more: Partial<SignatureRequirement> = {},
): SignatureRequirement {
  return { ...signers, annotations: new Map(), repositories: [], threshold: 1, ...more };
}
