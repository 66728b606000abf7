import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RegistryPattern } from '../../src/parse/registry-pattern.ts';
import {
  compileRegistrySet,
  foldRegistryPattern,
  parseRegistryPattern,
  someSuffix,
} from '../../src/parse/registry-pattern.ts';

function read(text: string): RegistryPattern {
  const parsed = parseRegistryPattern(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.pattern;
}

function takes(patterns: readonly string[], registry: string): boolean {
  return compileRegistrySet(patterns.map(read)).has(registry);
}

describe('a registry pattern', () => {
  it.each([
    ['docker.io', 'docker.io'],
    ['index.docker.io', 'docker.io'],
    ['localhost', 'localhost'],
    ['localhost:5000', 'localhost:5000'],
    ['registry.example.com:5000', 'registry.example.com:5000'],
    ['10.0.0.1:5000', '10.0.0.1:5000'],
    ['[::1]:5000', '[::1]:5000'],
    ['UPPER', 'UPPER'],
    ['*.example.com', 'a.example.com'],
    ['*.example.com', 'a.b.c.example.com'],
    ['*.example.com', 'a-b.example.com'],
    ['*.example.com:5000', 'a.example.com:5000'],
    ['*.com', 'example.com'],
    ['*.localhost', 'a.localhost'],
  ])('%s takes %s', (pattern, registry) => {
    expect(takes([pattern], registry)).toBe(true);
  });

  it.each([
    ['docker.io', 'docker.io:443'],
    ['docker.io', 'Docker.io'],
    ['docker.io', 'index.docker.io'],
    ['docker.io', 'docker.io.evil.com'],
    ['docker.io', 'evil-docker.io'],
    ['docker.io', 'a.docker.io'],
    ['localhost', 'localhost:5000'],
    ['localhost:5000', 'localhost'],
    ['localhost:5000', 'localhost:50000'],
    ['localhost:5000', 'localhost:05000'],
    ['*.example.com', 'example.com'],
    ['*.example.com', 'evilexample.com'],
    ['*.example.com', 'a.example.com.evil.com'],
    ['*.example.com', 'a.example.com:5000'],
    ['*.example.com', 'a.EXAMPLE.com'],
    ['*.example.com', '.example.com'],
    ['*.example.com', ''],
    ['*.example.com:5000', 'a.example.com'],
    ['*.example.com:5000', 'a.example.com:500'],
    ['docker.io', ''],
    ['10.0.0.1', '110.0.0.1'],
    ['10.0.0.1', '10x0x0x1'],
  ])('%s does not take %s', (pattern, registry) => {
    expect(takes([pattern], registry)).toBe(false);
  });

  it.each([
    '',
    '*',
    '**',
    '*.',
    '*..com',
    '.',
    '*.*.com',
    '**.com',
    'a.*.com',
    'registry.*',
    '*example.com',
    'user@example.com',
    'example.com:',
    'example.com:*',
    'example.com:http',
    'example.com:5000:5000',
    '-example.com',
    'example-.com',
    'example..com',
    'example.com.',
    'ex_ample.com',
    'exämple.com',
    ' example.com',
    'example.com ',
    'example.com\n',
    '[::1',
    '::1',
    '*.[::1]',
    '[a-z].example.com',
    'example.+',
  ])('%j is refused with a hint', (pattern) => {
    expect(parseRegistryPattern(pattern)).toMatchObject({
      ok: false,
      error: expect.stringContaining('registry'),
      hint: expect.stringContaining('*.example.com'),
    });
  });

  it.each([
    '/',
    'example.com/',
    'example.com/team',
    'example.com:5000/team',
    '*.example.com/*',
    'user@example.com/team',
  ])('%j is refused, and the hint says where a path belongs', (pattern) => {
    expect(parseRegistryPattern(pattern)).toMatchObject({
      ok: false,
      error: expect.stringContaining(`registry`),
      hint: 'a registry has no path: write it among `images`, with /** behind it for all that is below',
    });
  });

  it.each(['https://example.com', 'http://example.com/team', '*.://'])(
    '%j is refused, and the hint says to leave out the scheme',
    (pattern) => {
      expect(parseRegistryPattern(pattern)).toMatchObject({
        ok: false,
        hint: expect.stringMatching(/^leave the scheme out, write a host \(/),
      });
    },
  );

  it.each(['*', '**'])('%s is refused, as it would take every registry', (pattern) => {
    expect(parseRegistryPattern(pattern)).toMatchObject({
      ok: false,
      error: `expected a registry, got "${pattern}", which would take every one`,
    });
  });

  it.each(['library', 'team', 'localhosts', '127'])(
    '%s is refused, as no image is read as having that registry',
    (pattern) => {
      expect(parseRegistryPattern(pattern)).toMatchObject({
        ok: false,
        error:
          `no image has the registry "${pattern}": the first part of an image is a registry ` +
          'only when it is localhost or holds a dot, a port or an uppercase letter',
      });
    },
  );

  it.each([
    ['index.docker.io', { kind: 'exact', registry: 'docker.io' }],
    ['Example.com:5000', { kind: 'exact', registry: 'Example.com:5000' }],
    ['*.Example.com:5000', { kind: 'suffix', suffix: '.Example.com:5000' }],
  ])('%s is read in its parts', (pattern, expected) => {
    expect(parseRegistryPattern(pattern)).toEqual({ ok: true, pattern: expected });
  });

  it.each([
    ['Registry.Example.COM', { kind: 'exact', registry: 'registry.example.com' }],
    ['*.Example.COM', { kind: 'suffix', suffix: '.example.com' }],
    ['INDEX.docker.io', { kind: 'exact', registry: 'docker.io' }],
  ])('%s is folded for a prohibition', (pattern, expected) => {
    expect(foldRegistryPattern(read(pattern))).toEqual(expected);
  });
});

describe('a set of registry patterns', () => {
  it('names its patterns as they were understood', () => {
    const patterns = ['index.docker.io', '*.example.com', 'localhost:5000'].map(read);
    expect(compileRegistrySet(patterns).sources).toEqual([
      'docker.io',
      '*.example.com',
      'localhost:5000',
    ]);
  });

  it('takes nothing when it is empty', () => {
    expect(takes([], 'docker.io')).toBe(false);
  });

  it('takes a registry exactly when one of its patterns does', () => {
    const label = fc.constantFrom('a', 'b', 'example', 'com', 'io');
    const host = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
    const port = fc.constantFrom('', '', ':5000');
    const registry = fc.tuple(host, port).map((parts) => parts.join(''));
    const pattern = fc.tuple(fc.constantFrom('', '*.'), registry).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 6 }), registry, (patterns, asked) => {
        const naive = patterns.some((each) =>
          each.startsWith('*.') ? asked.endsWith(each.slice(1)) : asked === each,
        );
        expect(takes(patterns, asked)).toBe(naive);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('the suffixes of a registry', () => {
  it.each([
    ['a.b.com:5000', ['.b.com:5000', '.com:5000']],
    ['ab.com', ['.com']],
    ['.example.com', ['.com']],
    ['localhost', []],
    ['.', []],
    ['', []],
  ])('of %j begin at each dot with a label before it', (registry, expected) => {
    const asked: string[] = [];
    const stopped = someSuffix(registry, (suffix) => {
      asked.push(suffix);
      return false;
    });
    expect(stopped).toBe(false);
    expect(asked).toEqual(expected);
  });

  it('are asked for no longer than needed', () => {
    const asked: string[] = [];
    const stopped = someSuffix('a.b.com', (suffix) => asked.push(suffix) > 0);
    expect(stopped).toBe(true);
    expect(asked).toEqual(['.b.com']);
  });
});
