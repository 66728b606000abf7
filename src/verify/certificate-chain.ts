import type { X509Certificate } from 'node:crypto';
import { weaknessOf } from '../parse/public-key.ts';
import type { CertificateTrust } from '../rules/registry-requirement.ts';
import { partsOf } from './certificate-parts.ts';
import type { CertificateParts } from './certificate-parts.ts';

/** Extended key usages. */
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const ANY_USAGE = '2.5.29.37.0';

/** Authorities above a leaf; longer chains than this are not met. */
const MAX_DEPTH = 6;

export type CheckedLeaf =
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/**
 * Whether a certificate may sign code now, by one of the trusted roots. There is no timestamp, so a
 * certificate that has expired signs nothing any more, whenever it did.
 *
 * @param offered what came with the signature: a way up to a root, never trusted by itself
 * @param now milliseconds since 1970
 */
export function checkLeaf(
  leaf: X509Certificate,
  offered: readonly X509Certificate[],
  trust: Pick<CertificateTrust, 'roots' | 'intermediates'>,
  now: number,
): CheckedLeaf {
  const parts = partsOf(leaf);
  const reason = parts === undefined ? 'cannot be read' : leafMistake(leaf, parts, now);
  if (parts === undefined || reason !== undefined) {
    return { ok: false, reason: `with a certificate that ${reason ?? ''}` };
  }
  if (!leadsToRoot(leaf, [...trust.intermediates, ...offered], trust.roots, now)) {
    return { ok: false, reason: 'with a certificate of no trusted authority' };
  }
  return { ok: true, names: parts.names };
}

function leafMistake(
  leaf: X509Certificate,
  parts: CertificateParts,
  now: number,
): string | undefined {
  if (leaf.ca) return 'is that of an authority';
  if (!isForSigningCode(leaf)) return 'is not for signing code';
  if (parts.usage?.digitalSignature === false) return 'is not for signing';
  return commonMistake(leaf, parts, now);
}

function commonMistake(
  certificate: X509Certificate,
  parts: CertificateParts,
  now: number,
): string | undefined {
  if (!(now >= Date.parse(certificate.validFrom))) return 'is not yet valid';
  if (!(now <= Date.parse(certificate.validTo))) return 'has expired';
  if (weaknessOf(certificate.publicKey) !== undefined) return 'has a weak key';
  return parts.mistake;
}

/**
 * Looks for a way up, nearest authorities first, each of them once: whether one may stand in the
 * way depends on nothing but its depth, and a longer way to it allows no more.
 */
function leadsToRoot(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
): boolean {
  let level = [leaf];
  const left = new Map(intermediates.map((each) => [each.fingerprint256, each]));
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const issues = (authority: X509Certificate): boolean =>
      level.some((subject) => hasIssued(authority, subject)) && mayIssue(authority, depth, now);
    if (roots.some(issues)) return true;
    level = [...left.values()].filter(issues);
    for (const { fingerprint256 } of level) left.delete(fingerprint256);
  }
  return false;
}

function hasIssued(authority: X509Certificate, subject: X509Certificate): boolean {
  try {
    return subject.checkIssued(authority) && subject.verify(authority.publicKey);
  } catch {
    return false;
  }
}

/** @param depth how many authorities stand between this one and the leaf */
function mayIssue(authority: X509Certificate, depth: number, now: number): boolean {
  const parts = partsOf(authority);
  if (parts === undefined || !authority.ca || parts.usage?.keyCertSign === false) return false;
  if (parts.pathLength !== undefined && parts.pathLength < depth) return false;
  return mayIssueForCode(authority) && commonMistake(authority, parts, now) === undefined;
}

/** Whether the certificate names the usage; one that names none is not for it. */
export function isForSigningCode(certificate: X509Certificate): boolean {
  return usagesOf(certificate)?.includes(CODE_SIGNING) === true;
}

/** An authority that names no usage is not restricted to any. */
function mayIssueForCode(authority: X509Certificate): boolean {
  const usages = usagesOf(authority);
  return usages === undefined || usages.includes(CODE_SIGNING) || usages.includes(ANY_USAGE);
}

/** Node says undefined where a certificate names none, and its declarations do not say so. */
function usagesOf(certificate: Partial<X509Certificate>): readonly string[] | undefined {
  return certificate.keyUsage;
}
