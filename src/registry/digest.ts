import { createHash } from 'node:crypto';
import { checkDigest } from '../parse/reference-grammar.ts';

/** Whether a text is a digest that can be checked: `sha256:`, `sha384:` or `sha512:` and as many hex digits. */
export function isDigest(text: string): boolean {
  return text.includes(':') && checkDigest(text) === undefined;
}

/** @param algorithm of a digest */
export function digestOf(bytes: Uint8Array, algorithm: string): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

export function algorithmOf(digest: string): string {
  return digest.slice(0, digest.indexOf(':'));
}
