import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { parsePublicKey, weaknessOf } from '../../src/parse/public-key.ts';

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const curve = (namedCurve: string): KeyObject =>
  generateKeyPairSync('ec', { namedCurve }).publicKey;
const P256 = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

/** A modulus is as good as any where nothing is verified, and none has to be searched for. */
function rsa(bits: number, e = 'AQAB'): KeyObject {
  const modulus = Buffer.alloc(Math.ceil(bits / 8), 0xff);
  modulus[0] = 0xff >> (modulus.length * 8 - bits);
  const key = { kty: 'RSA', n: modulus.toString('base64url'), e };
  return createPublicKey({ key, format: 'jwk' });
}

describe('a public key', () => {
  it.each([
    ['P-256', P256.publicKey],
    ['P-384', curve('secp384r1')],
    ['P-521', curve('secp521r1')],
    ['Ed25519', generateKeyPairSync('ed25519').publicKey],
    ['RSA of 2048 bits', rsa(2048)],
    ['RSA of 8192 bits', rsa(8192)],
    ['RSA with the exponent 3', rsa(2048, 'Aw')],
  ])('is taken: %s', (_title, key) => {
    expect(weaknessOf(key)).toBeUndefined();
    const parsed = parsePublicKey(pemOf(key));
    expect(parsed.ok && parsed.key.equals(key)).toBe(true);
  });

  it.each([
    ['RSA of 2047 bits', rsa(2047), 'expected RSA of 2048 to 8192 bits, got 2047'],
    ['RSA of 8193 bits', rsa(8193), 'expected RSA of 2048 to 8192 bits, got 8193'],
    ['RSA with the exponent 1', rsa(2048, 'AQ'), 'expected RSA with an odd exponent above 1'],
    ['RSA with an even exponent', rsa(2048, 'BA'), 'expected RSA with an odd exponent above 1'],
    ['another curve', curve('secp256k1'), 'expected P-256, P-384 or P-521, got secp256k1'],
    [
      'another kind',
      generateKeyPairSync('ed448').publicKey,
      'expected an ECDSA, Ed25519 or RSA key, got ed448',
    ],
  ])('is refused for its weakness: %s', (_title, key, error) => {
    expect(weaknessOf(key)).toBe(error);
    const hint = 'use an ECDSA key (P-256, P-384 or P-521), Ed25519, or RSA of 2048 to 8192 bits';
    expect(parsePublicKey(pemOf(key))).toEqual({ ok: false, error, hint });
  });

  it.each([
    ['with a comment before and behind it', `of the build\n${pemOf(P256.publicKey)}of the build\n`],
    ['with line ends of Windows', pemOf(P256.publicKey).replaceAll('\n', '\r\n')],
    ['on one line', pemOf(P256.publicKey).replaceAll('\n', '')],
  ])('is taken %s', (_title, pem) => {
    const parsed = parsePublicKey(pem);
    expect(parsed.ok && parsed.key.equals(P256.publicKey)).toBe(true);
  });

  const good = pemOf(P256.publicKey);
  const secret = P256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const PRIVATE = [
    'expected a public key, got a private key',
    'give the public half (cosign.pub); whoever reads the private one can sign',
  ] as const;
  it.each<readonly [string, string, string, string]>([
    ['a private key', secret, ...PRIVATE],
    ['a private key behind a public one', good + secret, ...PRIVATE],
    ['two keys', good + good, 'expected one public key, got 2', 'list each by itself'],
    [
      'a certificate',
      '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n',
      'expected a public key, got a certificate',
      'signers with certificates go under certificateChain and identities',
    ],
    [
      'another thing in PEM',
      '-----BEGIN X509 CRL-----\nAA==\n-----END X509 CRL-----\n',
      'expected a public key in PEM, got X509 CRL',
      'a public key begins with -----BEGIN PUBLIC KEY-----',
    ],
    [
      'no PEM',
      'ssh-ed25519 AAAA',
      'expected a public key in PEM, got other text',
      'a public key begins with -----BEGIN PUBLIC KEY-----',
    ],
    [
      'nothing within the marks',
      '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
      'the public key cannot be read',
      'copy the file as `cosign generate-key-pair` or `openssl pkey -pubout` wrote it',
    ],
    [
      'what another reader may take for another key',
      good.replace(/\n-----END/, `-----\n${good.split('\n')[1]}\n-----END`),
      'the public key cannot be read',
      'copy the file as `cosign generate-key-pair` or `openssl pkey -pubout` wrote it',
    ],
    [
      'base64 that is cut',
      good.replace(/.\n-----END/, '\n-----END'),
      'the public key cannot be read',
      'copy the file as `cosign generate-key-pair` or `openssl pkey -pubout` wrote it',
    ],
  ])('is not %s', (_title, pem, error, hint) => {
    expect(parsePublicKey(pem)).toEqual({ ok: false, error, hint });
  });

  it('is not quoted when it cannot be read: it may be a secret', () => {
    const told = parsePublicKey(secret);
    const body = secret.split('\n')[1] ?? '-';
    expect(JSON.stringify(told)).not.toContain(body);
  });
});
