import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { parsePublicKey } from '../../../src/parse/public-key.ts';
import { textOf } from '../text.ts';

const STRONG = /^(?:ed25519|ec (?:prime256v1|secp384r1|secp521r1)|rsa)$/;
const BLOCK = /-----BEGIN PUBLIC KEY-----([^-]*)-----END PUBLIC KEY-----/g;

/** A text holds one strong public key, the one that its only block says, or is refused without a quote. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  const parsed = parsePublicKey(text);
  if (!parsed.ok) {
    assert.match(parsed.error, /^[\w ,.-]{1,100}$/);
    assert.notEqual(parsed.hint, '');
    return;
  }
  const { key } = parsed;
  assert.equal(key.type, 'public');
  assert.doesNotMatch(text, /-----BEGIN [^-]*PRIVATE KEY-----/);
  const details = key.asymmetricKeyDetails ?? {};
  const { namedCurve = '', modulusLength = 2048, publicExponent = 3n } = details;
  assert.match(`${key.asymmetricKeyType ?? ''} ${namedCurve}`.trim(), STRONG);
  assert.ok(modulusLength >= 2048 && modulusLength <= 8192);
  assert.ok(publicExponent > 1n);
  const bodies = [...text.matchAll(BLOCK)].map(([, body = '']) => body);
  assert.equal(bodies.length, 1);
  const der = Buffer.from(bodies[0] ?? '', 'base64');
  assert.ok(createPublicKey({ key: der, format: 'der', type: 'spki' }).equals(key));
}
