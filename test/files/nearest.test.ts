import { describe, expect, it } from '@jest/globals';
import { nearest } from '../../src/files/nearest.ts';

const KEYS = ['registries', 'images', 'tags', 'digest', 'explicitRegistry'];

describe('the nearest of some words', () => {
  it.each([
    ['registry', 'registries'],
    ['image', 'images'],
    ['Images', 'images'],
    ['tag', 'tags'],
    ['digset', 'digest'],
    ['tgas', 'tags'],
    ['explicitregistry', 'explicitRegistry'],
    ['digest', 'digest'],
    ['imags', 'images'],
    ['registri', 'registries'],
  ])('to %s is %s', (word, expected) => {
    expect(nearest(word, KEYS)).toBe(expected);
  });

  it.each(['', 'signatures', 'constructor', '__proto__', 'x'.repeat(10_000), 'zz', '\u{1f600}'])(
    'to %j is none',
    (word) => {
      expect(nearest(word, KEYS)).toBeUndefined();
    },
  );

  it('is the first of those that are equally near', () => {
    expect(nearest('cat', ['bat', 'hat'])).toBe('bat');
  });

  it('is none of none', () => {
    expect(nearest('images', [])).toBeUndefined();
  });
});
