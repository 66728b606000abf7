import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyKind, KeyPair, PkiPorts } from './pki.ts';

const generate = promisify(generateKeyPair);

const PUBLIC_KEY = { type: 'spki', format: 'pem' } as const;
const PRIVATE_KEY = { type: 'pkcs8', format: 'pem' } as const;

/** The machine's clock and randomness, and keys from OpenSSL. */
export const systemPkiPorts: PkiPorts = {
  now: () => new Date(),
  randomBytes: (size) => randomBytes(size),
  generateKeyPair: newKeyPair,
};

function newKeyPair(kind: KeyKind): Promise<KeyPair> {
  if (kind.type === 'rsa') {
    return generate('rsa', {
      modulusLength: kind.bits,
      publicKeyEncoding: PUBLIC_KEY,
      privateKeyEncoding: PRIVATE_KEY,
    });
  }
  return generate('ec', {
    namedCurve: kind.curve,
    publicKeyEncoding: PUBLIC_KEY,
    privateKeyEncoding: PRIVATE_KEY,
  });
}
