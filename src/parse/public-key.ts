import { createPublicKey } from 'node:crypto';
import type { AsymmetricKeyDetails, KeyObject } from 'node:crypto';

/** What NIST SP 800-57 asks at least; cosign's own keys have more. */
const MIN_RSA_BITS = 2048;
/** A longer one only costs time. */
const MAX_RSA_BITS = 8192;
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1'];

export type ParsedPublicKey =
  | { readonly ok: true; readonly key: KeyObject }
  | { readonly ok: false; readonly error: string; readonly hint: string };

const BEGIN = /-----BEGIN ([A-Z0-9 ]{1,40})-----/g;

/**
 * Reads a public key as `cosign generate-key-pair` and `openssl pkey -pubout` write it.
 *
 *   -----BEGIN PUBLIC KEY----- SPKI in base64 -----END PUBLIC KEY-----
 */
export function parsePublicKey(pem: string): ParsedPublicKey {
  const labels = [...pem.matchAll(BEGIN)].map(([, label = '']) => label);
  const mistake = labelMistake(labels);
  if (mistake !== undefined) return { ok: false, ...mistake };
  const key = keyOf(pem);
  if (key === undefined) {
    const hint = 'copy the file as `cosign generate-key-pair` or `openssl pkey -pubout` wrote it';
    return { ok: false, error: 'the public key cannot be read', hint };
  }
  const weakness = weaknessOf(key);
  if (weakness === undefined) return { ok: true, key };
  const hint = 'use an ECDSA key (P-256, P-384 or P-521), Ed25519, or RSA of 2048 to 8192 bits';
  return { ok: false, error: weakness, hint };
}

/** Never quotes the text: it may be a secret. */
function labelMistake(
  labels: readonly string[],
): { readonly error: string; readonly hint: string } | undefined {
  if (labels.some((label) => label.includes('PRIVATE'))) {
    const hint = 'give the public half (cosign.pub); whoever reads the private one can sign';
    return { error: 'expected a public key, got a private key', hint };
  }
  if (labels.length > 1) {
    return { error: `expected one public key, got ${labels.length}`, hint: 'list each by itself' };
  }
  if (labels[0] === 'PUBLIC KEY') return undefined;
  if (labels[0] === 'CERTIFICATE') {
    const hint = 'signers with certificates go under certificateChain and identities';
    return { error: 'expected a public key, got a certificate', hint };
  }
  const hint = 'a public key begins with -----BEGIN PUBLIC KEY-----';
  return { error: `expected a public key in PEM, got ${labels[0] ?? 'other text'}`, hint };
}

const BLOCK = /-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]*)-----END PUBLIC KEY-----/;

/** OpenSSL would stop at the first thing that is no base64, where others read on or give up. */
function keyOf(pem: string): KeyObject | undefined {
  const [, body = ''] = BLOCK.exec(pem) ?? [];
  const base64 = body.replaceAll(/\s/g, '');
  const key = Buffer.from(base64, 'base64');
  if (key.toString('base64') !== base64) return undefined;
  try {
    return createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

/** Why no signature of the key is worth anything; undefined for a good one. */
export function weaknessOf(key: KeyObject): string | undefined {
  const { asymmetricKeyType: type = 'another', asymmetricKeyDetails: details = {} } = key;
  if (type === 'ed25519') return undefined;
  if (type === 'ec') return weaknessOfCurve(details.namedCurve ?? 'no named curve');
  if (type === 'rsa') return weaknessOfRsa(details);
  return `expected an ECDSA, Ed25519 or RSA key, got ${type}`;
}

function weaknessOfCurve(curve: string): string | undefined {
  return CURVES.includes(curve) ? undefined : `expected P-256, P-384 or P-521, got ${curve}`;
}

function weaknessOfRsa(details: AsymmetricKeyDetails): string | undefined {
  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = details;
  if (!(bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS)) {
    return `expected RSA of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits, got ${bits}`;
  }
  // With 1, whatever is to be signed is its own signature.
  const isOdd = exponent % 2n === 1n;
  return exponent >= 3n && isOdd ? undefined : `expected RSA with an odd exponent above 1`;
}
