import { createHash, X509Certificate } from 'node:crypto';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toTrustMaterial } from '@sigstore/verify';
import { parsePublicKey } from '../parse/public-key.ts';
import type { CertificateTrust, TrustedKey } from './registry-requirement.ts';

/** What a text of the rules holds, or what is wrong with it. */
export type Material<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: string; readonly hint: string };

/** @param source how messages name it */
export function readKey(pem: string, source: string): Material<TrustedKey> {
  const parsed = parsePublicKey(pem);
  if (!parsed.ok) return parsed;
  const der = parsed.key.export({ type: 'spki', format: 'der' });
  const id = createHash('sha256').update(der).digest('hex');
  return { ok: true, value: { source, key: parsed.key, id } };
}

const PEM_END = '-----END CERTIFICATE-----';
const MAX_CERTIFICATES = 32;

/** The authorities of one's own signers: those that sign themselves are roots. */
export function readChain(
  pem: string,
): Material<Pick<CertificateTrust, 'roots' | 'intermediates'>> {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    const hint = 'keep the private key elsewhere: here the certificates alone are needed';
    return { ok: false, error: 'expected certificates, got a private key', hint };
  }
  const parts = pem.split(PEM_END, MAX_CERTIFICATES + 1).slice(0, -1);
  const certificates = parts.map((part) => certificateOf(`${part}${PEM_END}`));
  const found = certificates.filter((certificate) => certificate !== undefined);
  if (found.length === 0 || found.length < certificates.length) {
    const hint = 'a certificate begins with -----BEGIN CERTIFICATE-----';
    return { ok: false, error: 'expected certificates in PEM', hint };
  }
  return sortChain(found);
}

function sortChain(
  certificates: readonly X509Certificate[],
): Material<Pick<CertificateTrust, 'roots' | 'intermediates'>> {
  const leaf = certificates.find(({ ca }) => !ca);
  if (leaf !== undefined) {
    const name = JSON.stringify(leaf.subject);
    const hint = 'signers send their own certificates along; whose count is said by identities';
    return { ok: false, error: `expected authorities alone, got the certificate of ${name}`, hint };
  }
  const roots = certificates.filter(isSelfSigned);
  if (roots.length === 0) {
    const hint = 'add the root: the certificate that signs itself';
    return { ok: false, error: 'expected a root among the certificates, got none', hint };
  }
  const intermediates = certificates.filter((certificate) => !roots.includes(certificate));
  return { ok: true, value: { roots, intermediates } };
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);
}

function certificateOf(pem: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pem);
    // Node reads its key when it is asked for, and throws when it cannot.
    return certificate.publicKey.type === 'public' ? certificate : undefined;
  } catch {
    return undefined;
  }
}

/** The text of a trusted root with which something can be verified (protobuf-specs, JSON). */
export function readTrustedRoot(text: string): Material<string> {
  const hint =
    'write it with `cosign trusted-root create`; it has certificateAuthorities, tlogs and ctlogs';
  try {
    const { certificateAuthorities, tlogs, ctlogs } = toTrustMaterial(
      TrustedRoot.fromJSON(JSON.parse(text)),
    );
    const lacks = Object.entries({ certificateAuthorities, tlogs, ctlogs }).find(
      ([, entries]) => entries.length === 0,
    );
    if (lacks === undefined) return { ok: true, value: text };
    return { ok: false, error: `expected ${lacks[0]} in the trusted root, got none`, hint };
  } catch {
    return { ok: false, error: 'expected a trusted root in JSON', hint };
  }
}
