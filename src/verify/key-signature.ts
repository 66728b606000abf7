import { createHash, verify, webcrypto } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { eddsa } from '@noble/curves/abstract/edwards.js';
import { ed25519 } from '@noble/curves/ed25519.js';

const verifyInPool = promisify(verify);

/**
 * Ed25519ph (RFC 8032, 5.1) over a message whose SHA-512 is known. The library's own takes the
 * message, and needs a second for one of some megabytes, in which nothing else is done.
 */
const ed25519OfHash = eddsa(ed25519.Point, sha512, {
  domain: (data: Uint8Array) => Buffer.concat([DOMAIN, data]),
  prehash: (hash: Uint8Array) => hash,
  // ZIP-215 would also take points that RFC 8032 does not.
  zip215: false,
});
/** `dom2(1, "")` */
const DOMAIN = Buffer.from('SigEd25519 no Ed25519 collisions\x01\x00', 'latin1');

/** Of a few bytes. */
function sha512(bytes: Uint8Array): Uint8Array {
  return createHash('sha512').update(bytes).digest();
}

/** By the bytes: every key and every signature of an envelope is over the same. */
const hashes = new WeakMap<Uint8Array, Promise<Uint8Array>>();

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
  const hash = await hashOf(signed);
  try {
    return ed25519OfHash.verify(signature, hash, Buffer.from(x, 'base64url'));
  } catch {
    return false;
  }
}

/** SHA-512, in the pool. */
function hashOf(bytes: Uint8Array): Promise<Uint8Array> {
  const known = hashes.get(bytes) ?? digest(bytes);
  hashes.set(bytes, known);
  return known;
}

async function digest(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await webcrypto.subtle.digest('SHA-512', bytes));
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
