import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { PkiPorts } from './pki.ts';

const generate = promisify(generateKeyPair);

/** The machine's clock and randomness, and RSA keys from OpenSSL: forge's own take seconds. */
export const systemPkiPorts: PkiPorts = {
  now: () => new Date(),
  randomBytes: (size) => randomBytes(size),
  generateKeyPair: (bits) =>
    generate('rsa', {
      modulusLength: bits,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    }),
};
