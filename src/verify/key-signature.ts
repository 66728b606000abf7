import { verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { ed25519ph } from '@noble/curves/ed25519.js';

const verifyInPool = promisify(verify);

/** What cosign 2 and 3 sign with: a key does not say which hash belongs to it. */
const HASHES_BY_CURVE: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ['sha256'],
  secp384r1: ['sha256', 'sha384'],
  secp521r1: ['sha256', 'sha512'],
};

/** Whether the key made the signature over these bytes; false for a kind of key that is not known. */
export async function isSignedBy(
  key: KeyObject,
  signed: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (key.asymmetricKeyType === 'ed25519') return isSignedByEd25519(key, signed, signature);
  for (const hash of hashesOf(key)) {
    if (await holds(hash, key, signed, signature)) return true;
  }
  return false;
}

/** The hashes that may belong to an RSA key (PKCS #1 v1.5) or an elliptic curve. */
function hashesOf(key: KeyObject): readonly string[] {
  if (key.asymmetricKeyType === 'rsa') return ['sha256'];
  const curve = key.asymmetricKeyDetails?.namedCurve ?? '';
  return Object.hasOwn(HASHES_BY_CURVE, curve) ? (HASHES_BY_CURVE[curve] ?? []) : [];
}

/** Pure, as cosign 2 signs, or over the SHA-512 of the bytes ("ph"), as cosign 3 does. */
async function isSignedByEd25519(
  key: KeyObject,
  signed: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (await holds(null, key, signed, signature)) return true;
  const { x = '' } = key.export({ format: 'jwk' });
  try {
    // ZIP-215 would also take points that RFC 8032 does not.
    return ed25519ph.verify(signature, signed, Buffer.from(x, 'base64url'), { zip215: false });
  } catch {
    return false;
  }
}

async function holds(
  hash: string | null,
  key: KeyObject,
  signed: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  try {
    return await verifyInPool(hash, signed, key, signature);
  } catch {
    // What cannot even be read as a signature is none.
    return false;
  }
}
