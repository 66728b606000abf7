import assert from 'node:assert/strict';
import { decodeBase64 } from '../../../src/verify/base64.ts';
import { textOf } from '../text.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** A text is base64 of RFC 4648 (4), with padding and no bits to spare, or nothing. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  const decoded = decodeBase64(text);
  assert.deepEqual(decoded && [...decoded], oracle(text));
}

/** Bit by bit. */
function oracle(text: string): number[] | undefined {
  const [, digits = '', padding = ''] = /^([^=]*)(={0,2})$/.exec(text) ?? [];
  const values = Array.from(digits, (each) => ALPHABET.indexOf(each));
  const isWhole = `${digits}${padding}` === text && text.length % 4 === 0;
  if (!isWhole || values.includes(-1)) return undefined;
  const bits = values.map((value) => value.toString(2).padStart(6, '0')).join('');
  const spare = bits.length % 8;
  if (spare !== padding.length * 2 || bits.slice(bits.length - spare).includes('1'))
    return undefined;
  return (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
}
