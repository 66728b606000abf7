import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { contentOf, decode, isTagged, objectIdOf, partsOf } from '../setup/der.ts';
import { isIssuedBy } from '../setup/pem.ts';

/** What Go refuses (crypto/x509, since 1.18), by the id of the algorithm. */
const WEAK_SIGNATURES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.2', 'MD2'],
  ['1.2.840.113549.1.1.4', 'MD5'],
  ['1.2.840.113549.1.1.5', 'SHA-1'],
  ['1.3.14.3.2.29', 'SHA-1'],
  ['1.2.840.10040.4.3', 'SHA-1'],
  ['1.2.840.10045.4.1', 'SHA-1'],
]);

const SMALLEST_RSA_BITS = 2048;
/** What crypto/tls of Go knows. */
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

export type Purpose = 'serverAuth' | 'clientAuth';
const PURPOSES = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;
const ANY_PURPOSE = '2.5.29.37.0';

/** The weak digest of a signature that somebody has to verify; of a root nobody does. */
export function weakSignatureOf(certificate: X509Certificate): string | undefined {
  if (isIssuedBy(certificate, certificate)) return undefined;
  const [, algorithm] = partsOf(decode(certificate.raw));
  const [id] = partsOf(algorithm);
  return id === undefined ? undefined : WEAK_SIGNATURES.get(objectIdOf(id));
}

/** What is against a key, undefined when nothing is. */
export function weakKeyOf({ publicKey }: X509Certificate): string | undefined {
  const { asymmetricKeyType: type = 'none', asymmetricKeyDetails } = publicKey;
  const { modulusLength = 0, namedCurve = '' } = asymmetricKeyDetails ?? {};
  if (type === 'rsa') {
    return modulusLength < SMALLEST_RSA_BITS ? `RSA with ${modulusLength} bits` : undefined;
  }
  if (type === 'ec') return CURVES.has(namedCurve) ? undefined : `the curve ${namedCurve}`;
  return type === 'ed25519' ? undefined : type;
}

/** A certificate without any purpose is good for all. */
export function isFor(certificate: X509Certificate, purpose: Purpose): boolean {
  // Node 20 names the extended key usages `keyUsage`; undefined where there are none.
  const usages = certificate.keyUsage as readonly string[] | undefined;
  if (usages === undefined || usages.length === 0) return true;
  return usages.includes(PURPOSES[purpose]) || usages.includes(ANY_PURPOSE);
}

/** As Go does: names and addresses alone count, never the common name. */
export function isNamed(certificate: X509Certificate, host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0) return certificate.checkIP(bare) !== undefined;
  return certificate.checkHost(bare, { subject: 'never' }) !== undefined;
}

/** Whether its key usage, where it says one, lets it sign certificates. */
export function maySign(certificate: X509Certificate): boolean {
  const usage = extensionOf(certificate, KEY_USAGE);
  if (usage === undefined) return true;
  // The bit string in DER: tag, length, count of unused bits, bits; keyCertSign is the sixth bit.
  return ((usage[3] ?? 0) & 0x04) !== 0;
}

const KEY_USAGE = '2.5.29.15';

function extensionOf(certificate: X509Certificate, id: string): Buffer | undefined {
  const [body] = partsOf(decode(certificate.raw));
  const holder = partsOf(body).find((part) => isTagged(part, 3));
  for (const extension of partsOf(partsOf(holder)[0])) {
    const parts = partsOf(extension);
    const [name] = parts;
    const value = parts.at(-1);
    if (name === undefined || value === undefined || objectIdOf(name) !== id) continue;
    return contentOf(value);
  }
  return undefined;
}
