import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { printable } from '../../src/respond/escape.ts';

describe('text made printable', () => {
  it.each([
    ['docker.io/library/nginx:1', 'docker.io/library/nginx:1'],
    ['ünïcödé 漢字 😀', 'ünïcödé 漢字 😀'],
    ['', ''],
    ['a b', 'a b'],
    ['a\nb', 'a\\u{a}b'],
    ['a\r\nb', 'a\\u{d}\\u{a}b'],
    ['a\tb', 'a\\u{9}b'],
    ['a\0b', 'a\\u{0}b'],
    ['\u001b[31mred', '\\u{1b}[31mred'],
    ['\u009b31mred', '\\u{9b}31mred'],
    ['a\u202eb', 'a\\u{202e}b'],
    ['a\u2066b\u2069', 'a\\u{2066}b\\u{2069}'],
    ['a\u200bb', 'a\\u{200b}b'],
    ['a\u00adb', 'a\\u{ad}b'],
    ['\ufeffa', '\\u{feff}a'],
    ['a\u2028b\u2029c', 'a\\u{2028}b\\u{2029}c'],
    ['a\u0085b', 'a\\u{85}b'],
    ['\ud800', '\\u{d800}'],
    ['\udc00\ud800', '\\u{dc00}\\u{d800}'],
    ['\ue000', '\\u{e000}'],
    ['\u{e0041}', '\\u{e0041}'],
  ])('of %j is %j', (text, expected) => {
    expect(printable(text, 100)).toBe(expected);
  });

  it.each([
    ['abcde', 5, 'abcde'],
    ['abcdef', 5, 'abcde...'],
    ['abcd\n', 5, 'abcd\\...'],
    ['a'.repeat(1_000_000), 5, 'aaaaa...'],
    ['abcd😀', 6, 'abcd😀'],
    ['abcd😀', 5, 'abcd...'],
    ['abcd😀f', 5, 'abcd...'],
  ])('of %.20j is cut at %i characters', (text, limit, expected) => {
    expect(printable(text, limit)).toBe(expected);
  });

  it('holds nothing that is no text, and is no longer than it may be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 40 }), (text, limit) => {
        const shown = printable(text, limit);
        expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        expect(shown.length).toBeLessThanOrEqual(limit + 3);
      }),
      { numRuns: 3_000 },
    );
  });
});
