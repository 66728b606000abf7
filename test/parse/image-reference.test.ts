import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  foldRegistry,
  isLocalImageId,
  parseImageReference,
} from '../../src/parse/image-reference.ts';

interface Expected {
  readonly category: string;
  readonly input: string;
  readonly ok: boolean;
  readonly error?: string;
}

const fixture = new URL('../fixtures/image-references.jsonl', import.meta.url);
const expected = readFileSync(fixture, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Expected);

function parse(input: string): object {
  const parsed = parseImageReference(input);
  if (!parsed.ok) return parsed;
  const { registry, repository, tag, digest, normalized } = parsed.reference;
  return { ok: true, registry, repository, tag: tag ?? null, digest: digest ?? null, normalized };
}

describe('an image reference', () => {
  it('has all 404 recorded strings to agree with', () => {
    expect(expected).toHaveLength(404);
  });

  it.each(expected)('$category: $input parses as distribution/reference parses it', (row) => {
    const { category, input, ...rest } = row;
    expect(category).not.toBe('');
    expect(parse(input)).toEqual(rest);
  });

  it('whatever the string, parses or fails, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (input) => {
        expect(typeof parseImageReference(input).ok).toBe('boolean');
      }),
    );
  });

  it('parses to itself once normalised', () => {
    const alphabet = fc.constantFrom(
      'a',
      'B',
      '0',
      '.',
      '_',
      '-',
      ':',
      '/',
      '@',
      '[',
      ']',
      'sha256:',
      'a'.repeat(64),
      'localhost/',
    );
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 30 }), (units) => {
        const first = parseImageReference(units.join(''));
        fc.pre(first.ok && first.reference.registry !== '');
        const { registry, repository, tag, digest, normalized } = first.reference;
        expect(parseImageReference(normalized)).toMatchObject({
          ok: true,
          reference: { registry, repository, tag, digest, normalized },
        });
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['nginx', false, false],
    ['nginx:latest', false, true],
    ['library/nginx', false, false],
    ['docker.io/nginx', true, false],
    ['index.docker.io/nginx', true, false],
    ['localhost/nginx:1', true, true],
    ['UPPER/nginx', true, false],
  ])('%s: registry written: %s, tag written: %s', (input, explicitRegistry, explicitTag) => {
    expect(parseImageReference(input)).toMatchObject({
      ok: true,
      reference: { explicitRegistry, explicitTag },
    });
  });
});

describe('the host of a reference, in lower case', () => {
  it.each([
    ['Example.com/nginx', 'example.com', 'nginx'],
    ['EXAMPLE.com:5000/a/b', 'example.com:5000', 'a/b'],
    ['DOCKER.io/nginx', 'docker.io', 'library/nginx'],
    ['Docker.io/team/nginx', 'docker.io', 'team/nginx'],
    ['Index.docker.io/nginx', 'docker.io', 'library/nginx'],
    ['DOCKER.io:443/nginx', 'docker.io:443', 'nginx'],
  ])('makes of %s the registry %s and the path %s', (input, registry, repository) => {
    const parsed = parseImageReference(input);
    if (!parsed.ok) throw new Error(parsed.error);
    const rest = parsed.reference;
    expect(foldRegistry(rest)).toEqual({ ...rest, registry, repository });
  });

  it.each(['nginx', 'example.com/nginx', 'foo_bar.com/x'])('leaves %s as it is', (input) => {
    const parsed = parseImageReference(input);
    if (!parsed.ok) throw new Error(parsed.error);
    expect(foldRegistry(parsed.reference)).toBe(parsed.reference);
  });
});

describe('a local image id', () => {
  it.each([
    `sha256:${'a'.repeat(64)}`,
    'sha256:abc',
    'sha256:ABC',
    'sha256:',
    'sha384:0',
    'sha512:deadbeef',
  ])('is %s', (input) => {
    expect(isLocalImageId(input)).toBe(true);
  });

  it.each([
    'sha256',
    'sha2567',
    'sha256:xyz',
    'docker.io/library/sha256:abc',
    'library/sha256:abc',
    'SHA256:abc',
    'sha1:abc',
    'constructor:abc',
    'sha256:abc@sha256:abc',
    ' sha256:abc',
    '',
  ])('is not %j', (input) => {
    expect(isLocalImageId(input)).toBe(false);
  });
});
