import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileGlob } from '../../src/parse/glob.ts';

describe('a glob', () => {
  it.each([
    ['latest', 'latest'],
    ['*', ''],
    ['*', 'anything'],
    ['v*', 'v'],
    ['v*', 'v1.2.3'],
    ['*-alpine', '3.20-alpine'],
    ['1.*.0', '1.27.0'],
    ['1.*.0', '1..0'],
    ['a*a', 'aa'],
    ['*a*b*', 'xxaxxbxx'],
    ['*ab*ab*', 'abab'],
    ['a*b*c', 'abbbcbc'],
    ['**', 'x'],
    ['', ''],
  ])('%j takes %j', (glob, text) => {
    expect(compileGlob(glob).matches(text)).toBe(true);
  });

  it.each([
    ['latest', 'latest2'],
    ['latest', 'Latest'],
    ['latest', ' latest'],
    ['v*', 'av1'],
    ['*-alpine', '3.20-alpine3'],
    ['a*a', 'a'],
    ['ab*ba', 'aba'],
    ['*ab*ab*', 'aba'],
    ['*ab*ab*', 'xabx'],
    ['*a*b*', 'xbax'],
    ['a*b*c', 'acb'],
    ['1.*', '1x2'],
    ['a?c', 'abc'],
    ['[ab]', 'a'],
    ['.*', 'abc'],
    ['a+', 'aa'],
    ['^a$', 'a'],
    ['\\*', '*'],
    ['', 'a'],
    ['*a', 'a\n'],
  ])('%j does not take %j', (glob, text) => {
    expect(compileGlob(glob).matches(text)).toBe(false);
  });

  it('keeps its source', () => {
    expect(compileGlob('team-*').source).toBe('team-*');
  });

  it('takes what the rule of its grammar, written out, takes', () => {
    const globs = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 8 });
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 10 });
    fc.assert(
      fc.property(globs, texts, (glob, text) => {
        expect(compileGlob(glob).matches(text)).toBe(naive(glob, text));
      }),
      { numRuns: 10_000 },
    );
  });
});

/** `*` is nothing, or one character and `*` again. */
function naive(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob.startsWith('*')) {
    return naive(glob.slice(1), text) || (text !== '' && naive(glob, text.slice(1)));
  }
  return text.startsWith(glob.charAt(0)) && naive(glob.slice(1), text.slice(1));
}
