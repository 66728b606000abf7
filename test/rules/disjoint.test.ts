import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileGlob } from '../../src/parse/glob.ts';
import { foldImagePattern, matchesReference } from '../../src/parse/image-pattern.ts';
import { foldRegistry } from '../../src/parse/image-reference.ts';
import { globsDisjoint } from '../../src/rules/containment.ts';
import { patternsDisjoint } from '../../src/rules/disjoint.ts';
import { readPattern, readReference } from '../support/parsed.ts';

const DIGESTS = ['ab', 'cd'].map((pair) => `sha256:${pair.repeat(32)}`);

const disjoint = (one: string, other: string): boolean =>
  patternsDisjoint(readPattern(one), readPattern(other));

describe('two patterns', () => {
  it.each([
    ['nginx', 'ghcr.io/library/nginx'],
    ['nginx', 'redis'],
    ['docker.io/library/**', 'docker.io/evil/**'],
    ['docker.io/a/b', 'docker.io/a/b/c'],
    ['docker.io/a/**/b', 'docker.io/a'],
    ['**/a', '**/b'],
    ['**/app-*', 'docker.io/team/web-*'],
    ['*.a.com/**', '*.b.com/**'],
    ['Docker.io/nginx', 'docker.io/evil/nginx'],
    ['nginx:1.*', 'nginx:2.*'],
    ['nginx:*-rc', 'nginx:*-beta'],
    [`nginx@${DIGESTS[0] ?? ''}`, `nginx@${DIGESTS[1] ?? ''}`],
  ])('never take the same: %s and %s', (one, other) => {
    expect([disjoint(one, other), disjoint(other, one)]).toEqual([true, true]);
  });

  it.each([
    ['nginx', 'Docker.io/nginx'],
    ['nginx:1', `nginx@${DIGESTS[0] ?? ''}`],
    ['nginx:1.*', 'nginx:*.2'],
    ['docker.io/a/**', 'docker.io/**/b'],
    ['quay.io/a/**', 'quay.io/a'],
    ['**', 'Quay.io/a:1'],
    ['*.a.com/**', '*.b.a.com/c'],
    ['docker.io/team-*/**', 'docker.io/*-a/b'],
  ])('may take the same: %s and %s', (one, other) => {
    expect([disjoint(one, other), disjoint(other, one)]).toEqual([false, false]);
  });

  const pick = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
  const joined = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
    fc.tuple(...parts).map((texts) => texts.join(''));
  const path = (...components: readonly string[]): fc.Arbitrary<string> =>
    fc.array(pick(...components), { minLength: 1, maxLength: 3 }).map((all) => all.join('/'));
  const digest = pick('', '', ...DIGESTS.map((one) => `@${one}`));
  const pattern = joined(
    pick('docker.io/', 'Docker.io/', 'a.x.com/', '*.x.com/', '*.a.x.com/', '**/'),
    path('a', 'b', 'a*', '*b', '*', '**'),
    pick('', ':1', ':1.*', ':*2', ':latest', ':*'),
    digest,
  );
  /** A small world, in which a false claim would be found out by trying. */
  const references = ['', 'Docker.io/', 'a.x.com/', 'A.a.x.com/'].flatMap((registry) =>
    ['a', 'ab', 'a/b', 'b/a', 'a/a/b', 'b/aab/b'].flatMap((repository) =>
      ['', ':1', ':1.2', ':2'].flatMap((tag) =>
        ['', ...DIGESTS.map((one) => `@${one}`)].map((end) =>
          foldRegistry(readReference(`${registry}${repository}${tag}${end}`)),
        ),
      ),
    ),
  );

  it('that take the same reference are never called disjoint', () => {
    let taken = 0;
    fc.assert(
      fc.property(pattern, pattern, (one, other) => {
        const both = [one, other].map((text) => foldImagePattern(readPattern(text)));
        const common = references.find((reference) =>
          both.every((each) => matchesReference(each, reference, 'as-written')),
        );
        if (common === undefined) return;
        taken += 1;
        expect([common.normalized, disjoint(one, other)]).toEqual([common.normalized, false]);
      }),
      { numRuns: 2_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});

describe('two globs', () => {
  it('that take the same text are never called disjoint', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 5 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 6 });
    fc.assert(
      fc.property(glob, glob, text, (one, other, name) => {
        const [left, right] = [compileGlob(one), compileGlob(other)];
        fc.pre(left.matches(name) && right.matches(name));
        expect(globsDisjoint(left, right)).toBe(false);
      }),
      { numRuns: 1_000, maxSkipsPerRun: 200 },
    );
  });
});
