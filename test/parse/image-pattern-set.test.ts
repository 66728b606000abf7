import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { indexImagePatterns } from '../../src/parse/image-pattern-set.ts';
import type { TagReading } from '../../src/parse/image-pattern.ts';
import { matchesReference } from '../../src/parse/image-pattern.ts';
import { readPattern, readReference } from '../support/parsed.ts';
import { DIGEST } from '../support/policy.ts';

/** Everything that the index finds, in no order. */
function found(
  patterns: readonly string[],
  image: string,
  reading: TagReading = 'as-written',
): string[] {
  const index = indexImagePatterns(
    patterns.map((text, at) => [readPattern(text), `${at} ${text}`]),
  );
  const values: string[] = [];
  const stopped = index.some(readReference(image), reading, (value) => {
    values.push(value);
    return false;
  });
  expect(stopped).toBe(false);
  return values.sort();
}

describe('an index of image patterns', () => {
  it.each([
    ['nginx', ['0 nginx', '2 docker.io/library/*', '3 **', '4 docker.io/**']],
    ['registry.example.com/app', ['3 **', '6 registry.example.com/app', '7 *.example.com/**']],
    ['a.registry.example.com/app', ['3 **', '7 *.example.com/**']],
    ['registry.example.com:5000/app', ['3 **']],
    ['UPPER/app', ['3 **']],
    ['nginx:1.27', ['0 nginx', '1 nginx:1.*', '2 docker.io/library/*', '3 **', '4 docker.io/**']],
  ])('finds for %s what takes it', (image, expected) => {
    const patterns = [
      'nginx',
      'nginx:1.*',
      'docker.io/library/*',
      '**',
      'docker.io/**',
      'registry.example.com/app:v1',
      'registry.example.com/app',
      '*.example.com/**',
    ];
    expect(found(patterns, image)).toEqual(expected);
  });

  it('finds nothing when it is empty', () => {
    expect(found([], 'nginx')).toEqual([]);
  });

  it('finds each value of patterns that are written alike', () => {
    expect(found(['nginx', 'docker.io/library/nginx', 'nginx'], 'nginx')).toEqual([
      '0 nginx',
      '1 docker.io/library/nginx',
      '2 nginx',
    ]);
  });

  it('takes no pattern called like a property of objects for another', () => {
    expect(found(['docker.io/library/constructor', 'valueof'], 'nginx')).toEqual([]);
    expect(found(['constructor/valueof'], 'constructor/valueof')).toEqual([
      '0 constructor/valueof',
    ]);
  });

  it('stops at the first value that is enough', () => {
    const visited: string[] = [];
    const index = indexImagePatterns(
      ['nginx', '**', 'docker.io/**'].map((text) => [readPattern(text), text]),
    );
    const stopped = index.some(readReference('nginx'), 'as-written', (value) => {
      visited.push(value);
      return true;
    });
    expect(stopped).toBe(true);
    expect(visited).toHaveLength(1);
  });

  it('finds no tag pattern for proof beside a digest', () => {
    const patterns = ['nginx:1.27', 'nginx', `nginx:1.27@${DIGEST}`];
    expect(found(patterns, `nginx:1.27@${DIGEST}`)).toHaveLength(3);
    expect(found(patterns, `nginx:1.27@${DIGEST}`, 'as-proof')).toEqual([
      '1 nginx',
      `2 nginx:1.27@${DIGEST}`,
    ]);
  });

  it('answers exactly as asking every pattern in turn', () => {
    const host = fc.constantFrom('docker.io', 'example.com', 'a.example.com', 'b.a.example.com:5');
    const component = fc.constantFrom('a', 'b', 'c');
    const path = fc.array(component, { minLength: 1, maxLength: 3 }).map((all) => all.join('/'));
    const tag = fc.constantFrom('', ':v1', ':v2', `@${DIGEST}`, `:v1@${DIGEST}`);
    const image = fc.tuple(host, path, tag).map(([a, b, c]) => `${a}/${b}${c}`);
    const wildPath = fc
      .array(fc.constantFrom('a', 'b', 'c', '*', '**'), { minLength: 1, maxLength: 3 })
      .map((all) => all.join('/'));
    const wildHost = fc.oneof(host, fc.constantFrom('**', '*.example.com', '*.com', '*.com:5'));
    const wildTag = fc.oneof(tag, fc.constantFrom(':*', ':v*'));
    const pattern = fc.tuple(wildHost, wildPath, wildTag).map(([a, b, c]) => `${a}/${b}${c}`);
    const reading = fc.constantFrom<TagReading>('as-written', 'as-proof');
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 12 }), image, reading, (patterns, text, how) => {
        const reference = readReference(text);
        const scanned = patterns
          .map((each, at) => `${at} ${each}`)
          .filter((_, at) => matchesReference(readPattern(patterns[at] ?? ''), reference, how));
        expect(found(patterns, text, how)).toEqual(scanned.sort());
      }),
      { numRuns: 3_000 },
    );
  });
});
