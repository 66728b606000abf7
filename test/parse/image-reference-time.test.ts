import { performance } from 'node:perf_hooks';
import { describe, expect, it } from '@jest/globals';
import { parseImageReference } from '../../src/parse/image-reference.ts';

const MIB = 1024 * 1024;

/** Strings of about a given length that make a backtracking parser slow. */
const SHAPES: readonly (readonly [title: string, make: (length: number) => string])[] = [
  ['one letter', (length) => 'a'.repeat(length)],
  ['hex digits', (length) => '0f'.repeat(length / 2)],
  ['uppercase letters', (length) => `x/${'A'.repeat(length)}`],
  ['slashes', (length) => '/'.repeat(length)],
  ['short components', (length) => 'a/'.repeat(length / 2)],
  ['labels of a host', (length) => `${'a.'.repeat(length / 2)}b/c`],
  ['dashes, and then a mistake', (length) => `a${'-'.repeat(length)}_`],
  ['separators, and then a mistake', (length) => `${'a_'.repeat(length / 2)}!`],
  ['digits of a port', (length) => `a:${'5'.repeat(length)}/b`],
  ['an address in brackets that never closes', (length) => `[${':'.repeat(length)}/x`],
  ['colons', (length) => ':'.repeat(length)],
  ['at signs', (length) => '@'.repeat(length)],
  ['a tag', (length) => `x:${'t'.repeat(length)}`],
  ['a digest', (length) => `x@sha256:${'a'.repeat(length)}`],
  ['an algorithm', (length) => `x@${'a+'.repeat(length / 2)}a:${'0'.repeat(32)}`],
  ['letters beyond ASCII', (length) => '\u0130'.repeat(length)],
  ['halves of surrogate pairs', (length) => '\ud800'.repeat(length)],
];

describe('reading a string of 1 MB', () => {
  it.each(SHAPES)('takes no more than linear time for %s', (_title, make) => {
    const [small, large] = [make(MIB / 10), make(MIB)];
    // A quadratic reader has a ratio of 100 each time; a busy machine spoils one time in some.
    let ratio = Infinity;
    for (let attempt = 0; attempt < 5 && ratio >= 60; attempt++) {
      // Half a millisecond added on both sides keeps the noise of the clock out of the ratio.
      ratio = Math.min(ratio, (fastest(large) + 0.5) / (fastest(small) + 0.5));
    }
    expect(ratio).toBeLessThan(60);
  });
});

function fastest(image: string): number {
  const times = Array.from({ length: 4 }, () => {
    const started = performance.now();
    parseImageReference(image);
    return performance.now() - started;
  });
  return Math.min(...times);
}
