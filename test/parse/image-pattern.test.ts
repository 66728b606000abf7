import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TagReading } from '../../src/parse/image-pattern.ts';
import {
  foldImagePattern,
  isTagGlob,
  matchesReference,
  parseImagePattern,
} from '../../src/parse/image-pattern.ts';
import { foldRegistry } from '../../src/parse/image-reference.ts';
import { oracleTakes } from './pattern-oracle.ts';
import { readPattern, readReference } from '../support/parsed.ts';
import { DIGEST, OTHER_DIGEST } from '../support/policy.ts';

function takes(pattern: string, image: string, reading: TagReading = 'as-written'): boolean {
  return matchesReference(readPattern(pattern), readReference(image), reading);
}

describe('an image pattern', () => {
  it.each([
    // normalised as a reference is
    ['nginx', 'nginx'],
    ['nginx', 'docker.io/library/nginx:1.27'],
    ['nginx', 'index.docker.io/nginx'],
    ['docker.io/nginx', 'nginx'],
    ['index.docker.io/library/nginx', 'nginx'],
    ['team/app', 'docker.io/team/app'],
    ['localhost/app', 'localhost/app'],
    ['UPPER/app', 'UPPER/app'],
    ['localhost:5000/app', 'localhost:5000/app'],
    ['[::1]:5000/app', '[::1]:5000/app'],
    // without a tag and a digest: all of them
    ['nginx', 'nginx:latest'],
    ['nginx', `nginx@${DIGEST}`],
    ['nginx', `nginx:1.27@${DIGEST}`],
    // `*` within one component
    ['team-*', 'team-a'],
    ['team-*', 'docker.io/library/team-'.concat('b')],
    ['nginx*', 'nginx'],
    ['*-nginx', 'my-nginx'],
    ['docker.io/*', 'nginx'],
    ['docker.io/library/*', 'nginx'],
    ['registry.example.com/team-*/app', 'registry.example.com/team-a/app'],
    ['registry.example.com/*/*', 'registry.example.com/a/b'],
    ['registry.example.com/a*b*c', 'registry.example.com/axbxbxc'],
    // `**` for whole components, none included
    ['**', 'nginx'],
    ['**', 'registry.example.com:5000/a/b/c:1'],
    ['docker.io/**', 'nginx'],
    ['docker.io/**', 'a/b/c'],
    ['registry.example.com/**', 'registry.example.com/a'],
    ['registry.example.com/team/**', 'registry.example.com/team'],
    ['registry.example.com/team/**', 'registry.example.com/team/a/b/c'],
    ['registry.example.com/**/app', 'registry.example.com/app'],
    ['registry.example.com/**/app', 'registry.example.com/a/b/app'],
    ['registry.example.com/**/app/**', 'registry.example.com/a/app/b/c'],
    ['registry.example.com/**/a/b', 'registry.example.com/a/a/b'],
    ['registry.example.com/**/**', 'registry.example.com/a'],
    ['**/nginx', 'nginx'],
    ['**/nginx', 'registry.example.com/nginx'],
    ['**/nginx', 'registry.example.com/a/b/nginx'],
    ['**/library/*', 'nginx'],
    ['**:1.*', 'registry.example.com/a:1.2'],
    // `*.suffix`: one or more labels
    ['*.example.com/**', 'a.example.com/x'],
    ['*.example.com/**', 'a.b.example.com/x/y'],
    ['*.example.com:5000/app', 'a.example.com:5000/app'],
    // tags
    ['nginx:latest', 'nginx'],
    ['nginx:1.27', 'nginx:1.27'],
    ['nginx:1.*', 'nginx:1.27'],
    ['nginx:*', 'nginx:anything'],
    ['nginx:*', 'nginx'],
    ['nginx:*-alpine', 'nginx:3-alpine'],
    ['nginx:1.27', `nginx:1.27@${DIGEST}`],
    // digests
    [`nginx@${DIGEST}`, `nginx@${DIGEST}`],
    [`nginx@${DIGEST}`, `nginx:1.27@${DIGEST}`],
    [`nginx:1.27@${DIGEST}`, `nginx:1.27@${DIGEST}`],
    [`**@${DIGEST}`, `registry.example.com/x@${DIGEST}`],
  ])('%s takes %s', (pattern, image) => {
    expect(takes(pattern, image)).toBe(true);
  });

  it.each([
    ['nginx', 'nginx2'],
    ['nginx', 'team/nginx'],
    ['nginx', 'library/library/nginx'],
    ['nginx', 'registry.example.com/nginx'],
    ['nginx', 'registry.example.com/library/nginx'],
    ['nginx', 'docker.io:443/nginx'],
    ['nginx', 'Docker.io/library/nginx'],
    ['localhost/app', 'localhost:5000/app'],
    ['localhost:5000/app', 'localhost/app'],
    ['docker.io/*', 'team/app'],
    ['docker.io/*', 'a/b/c'],
    ['registry.example.com/*', 'registry.example.com/a/b'],
    ['registry.example.com/*/*', 'registry.example.com/a'],
    ['registry.example.com/team-*/app', 'registry.example.com/team-a/x/app'],
    ['registry.example.com/team-*/app', 'registry.example.com/team/app'],
    ['registry.example.com/team/**', 'registry.example.com/teams'],
    ['registry.example.com/team/**', 'registry.example.com/team-a/x'],
    ['registry.example.com/**/app', 'registry.example.com/my-app'],
    ['registry.example.com/**/app', 'registry.example.com/app/x'],
    ['registry.example.com/**', 'registry.example.com:5000/a'],
    ['registry.example.com/**', 'registry.example.com.evil.com/a'],
    ['registry.example.com/**', 'evil.com/registry.example.com/a'],
    ['registry.example.com/**', 'registryxexample.com/a'],
    ['registry.example.com/**', 'REGISTRY.example.com/a'],
    ['**/nginx', 'nginx-evil'],
    ['**/nginx', 'nginx/x'],
    ['**/library/*', 'team/app'],
    ['*.example.com/**', 'example.com/a'],
    ['*.example.com/**', 'evilexample.com/a'],
    ['*.example.com/**', 'a.example.com:5000/a'],
    ['*.example.com/**', 'a.example.com.evil.com/a'],
    ['*.example.com/**', 'evil.com/a.example.com/a'],
    ['*.example.com/app', 'a.example.com/team/app'],
    ['nginx:latest', 'nginx:1.27'],
    ['nginx:latest', 'nginx:Latest'],
    ['nginx:latest', `nginx@${DIGEST}`],
    ['nginx:*', `nginx@${DIGEST}`],
    ['nginx:1.*', 'nginx:1'],
    ['nginx:1.*', 'nginx:11'],
    [`nginx@${DIGEST}`, 'nginx'],
    [`nginx@${DIGEST}`, `nginx@${OTHER_DIGEST}`],
    [`nginx@${DIGEST}`, `registry.example.com/nginx@${DIGEST}`],
    [`nginx:1.27@${DIGEST}`, `nginx:1.28@${DIGEST}`],
    [`nginx:1.27@${DIGEST}`, `nginx@${DIGEST}`],
  ])('%s does not take %s', (pattern, image) => {
    expect(takes(pattern, image)).toBe(false);
  });

  it.each([
    ['nginx:1.27', `nginx:1.27@${DIGEST}`],
    ['nginx:*', `nginx:1.27@${DIGEST}`],
    ['**:latest', `nginx:latest@${DIGEST}`],
    ['nginx:*', `nginx@${DIGEST}`],
  ])('%s takes %s for no proof: the node pulls the digest', (pattern, image) => {
    expect(takes(pattern, image, 'as-proof')).toBe(false);
  });

  it.each([
    ['nginx:1.27', 'nginx:1.27'],
    ['nginx', `nginx:1.27@${DIGEST}`],
    [`nginx@${DIGEST}`, `nginx:1.27@${DIGEST}`],
    [`nginx:1.27@${DIGEST}`, `nginx:1.27@${DIGEST}`],
  ])('%s takes %s for proof', (pattern, image) => {
    expect(takes(pattern, image, 'as-proof')).toBe(true);
  });
});

describe('an image pattern that is refused at load', () => {
  const long = 'a'.repeat(256);
  it.each([
    ['', 'empty name'],
    ['*', '"*" alone'],
    ['*:latest', '"*" alone'],
    ['*/nginx', 'within a registry name'],
    ['*/*', 'within a registry name'],
    ['*/**', 'within a registry name'],
    ['registry.*/app', 'within a registry name'],
    ['*.*.com/app', 'within a registry name'],
    ['*registry.example.com/app', 'within a registry name'],
    ['registry.example.com:*/app', 'within a registry name'],
    ['registry*:5000/app', 'within a registry name'],
    ['**.example.com/app', 'within a registry name'],
    ['*.example.com', 'names no path'],
    ['*.example.com/', 'empty one'],
    ['registry.example.com/', 'empty one'],
    ['registry.example.com//app', 'empty one'],
    ['/app', 'empty one'],
    ['app/', 'empty one'],
    ['team/***', 'whole path components'],
    ['team/**a', 'whole path components'],
    ['team/a**', 'whole path components'],
    ['***', 'whole path components'],
    ['team**/app', 'whole path components'],
    ['.+', 'no image has a path component'],
    ['.*', 'no image has a path component'],
    ['[a-z]', 'no image has a path component'],
    ['registry.example.com/[a-z]+', 'no image has a path component'],
    ['team/a?', 'no image has a path component'],
    ['team/a|b', 'no image has a path component'],
    ['team/(a)', 'no image has a path component'],
    ['^nginx$', 'no image has a path component'],
    ['team/App', 'no image has a path component'],
    ['Nginx', 'no image has a path component'],
    ['team/-app', 'no image has a path component'],
    ['team/app-', 'no image has a path component'],
    ['team/a..b', 'no image has a path component'],
    ['team/a___b', 'no image has a path component'],
    ['team/a.-b', 'no image has a path component'],
    ['team/..', 'no image has a path component'],
    ['team/a b', 'no image has a path component'],
    ['team/añb', 'no image has a path component'],
    [' nginx', 'no image has a path component'],
    ['nginx\n', 'no image has a path component'],
    ['team/%61', 'no image has a path component'],
    ['team/-*', 'no image has a path component'],
    ['https://docker.io/nginx', 'expected a registry'],
    ['foo_bar.com/app', 'expected a registry'],
    ['-a.com/app', 'expected a registry'],
    ['a..com/app', 'expected a registry'],
    ['[a-z].com/app', 'expected a registry'],
    ['*.foo_bar.com/app', 'expected a suffix'],
    ['*.[::1]/app', 'expected a suffix'],
    ['nginx:', 'expected a tag'],
    ['nginx:-x', 'expected a tag'],
    ['nginx:.x', 'expected a tag'],
    ['nginx:a:b', 'expected a tag'],
    ['nginx:**', 'expected a tag'],
    ['nginx:1.[0-9]', 'expected a tag'],
    ['nginx:1.+', 'expected a tag'],
    [`nginx:${'t'.repeat(129)}`, 'expected a tag'],
    [`nginx:*${'t'.repeat(129)}`, 'expected a tag'],
    ['nginx@', 'expected a digest'],
    ['nginx@sha256', 'expected a digest'],
    ['nginx@sha256:', 'expected a digest'],
    ['nginx@sha256:*', 'expected a digest'],
    ['nginx@*', 'expected a digest'],
    ['nginx@sha256:abc', 'invalid checksum digest length'],
    [`nginx@${DIGEST.toUpperCase()}`, 'expected a digest'],
    [`nginx@sha256:${'A'.repeat(64)}`, 'invalid checksum digest format'],
    [`nginx@md5:${'a'.repeat(32)}`, 'unsupported digest algorithm'],
    [`nginx@constructor:${'a'.repeat(64)}`, 'unsupported digest algorithm'],
    [`nginx@${DIGEST}@${DIGEST}`, 'expected a digest'],
    [`user@registry.example.com/app`, 'expected a digest'],
    [`nginx@${DIGEST}:latest`, 'expected a digest'],
    [`team/${long}`, 'longer than 255'],
    [`team/${long}*`, 'longer than 255'],
    [`team/${Array(129).fill('*').join('/')}`, 'longer than 255'],
    [`nginx${'/**'.repeat(3)}/${long}`, 'longer than 255'],
  ])('is %j', (pattern, message) => {
    expect(parseImagePattern(pattern)).toMatchObject({
      ok: false,
      error: expect.stringContaining(message),
      hint: expect.stringMatching(/./),
    });
  });

  it('is no pattern of just 255 characters, which takes an image of that length', () => {
    const path = `team/${'a'.repeat(250)}`;
    expect(path).toHaveLength(255);
    expect(takes(path, path)).toBe(true);
    expect(takes(`${path}*`, path)).toBe(true);
    expect(takes(`team/${Array(125).fill('*').join('/')}`, `team${'/a'.repeat(125)}`)).toBe(true);
    expect(parseImagePattern(`${path}a`).ok).toBe(false);
  });

  it('tells how to write what was meant by a lone star', () => {
    expect(parseImagePattern('*')).toMatchObject({ hint: 'write ** for every image' });
    expect(parseImagePattern('*.example.com')).toMatchObject({
      hint: 'write *.example.com/** for all its images',
    });
  });

  const NAME = 'write registry/path, such as docker.io/library/nginx or registry.example.com/**';
  const COMPONENT =
    'a path component holds lower-case letters, digits and single ".", "_", "__" or dashes ' +
    'between them; * stands for any run within one component, ** for whole components';
  const REGISTRY =
    'write *.suffix for the hosts of a domain, or ** as the first component for any registry';
  const TAG =
    'a tag holds letters, digits, "_", "." and "-", begins with none of the last two, ' +
    'and is no longer than 128';
  const DIGEST_HINT =
    'write @sha256: and 64 hex digits; `require: { digest: true }` asks for any digest';
  it.each([
    ['', 'expected an image pattern, got an empty name', NAME],
    ['*', '"*" alone takes no image', 'write ** for every image'],
    ['*.a.com', '"*.a.com" names no path', 'write *.a.com/** for all its images'],
    ['a.*/x', '"*" cannot stand for or within a registry name, got "a.*"', REGISTRY],
    ['a//b', 'expected a path component, got an empty one (//, or / at an end)', COMPONENT],
    ['a/b**', '"**" stands for whole path components, got "b**"', COMPONENT],
    ['a/B', 'no image has a path component like "B"', COMPONENT],
    [`team/${long}`, 'no path is longer than 255 characters', NAME],
    ['nginx:-x', 'expected a tag, with * for any run of characters, got "-x"', TAG],
    ['nginx@', 'expected a digest after @', DIGEST_HINT],
    ['nginx@sha256', 'expected a digest after @', DIGEST_HINT],
    ['nginx@sha256:abc', 'expected a digest after @ (invalid checksum digest length)', DIGEST_HINT],
  ])('is told of %j what is wrong and what to write', (pattern, error, hint) => {
    expect(parseImagePattern(pattern)).toEqual({ ok: false, error, hint });
  });
});

describe('an image pattern in its parts', () => {
  const HUB = { kind: 'exact', registry: 'docker.io' };
  it.each([
    ['nginx', HUB, 'library/nginx', ['library', 'nginx']],
    ['team/app', HUB, 'team/app', ['team', 'app']],
    ['docker.io/nginx:1', HUB, 'library/nginx', ['library', 'nginx']],
    ['localhost/nginx', { kind: 'exact', registry: 'localhost' }, 'nginx', ['nginx']],
    ['*.a.com/x', { kind: 'suffix', suffix: '.a.com' }, 'x', ['x']],
    ['team-*', HUB, undefined, ['library', 'team-*']],
    ['docker.io/**', HUB, undefined, ['**']],
    ['**/a', { kind: 'any' }, undefined, ['**', 'a']],
  ])('%s is read as it is normalised', (source, registry, literalPath, path) => {
    const read = readPattern(source);
    expect(read).toMatchObject({ source, registry });
    expect(read.literalPath).toBe(literalPath);
    expect(read.path.map((part) => (part === '**' ? part : part.source))).toEqual(path);
  });

  it.each([
    ['nginx', undefined, undefined],
    ['nginx:1.*', '1.*', undefined],
    [`nginx@${DIGEST}`, undefined, DIGEST],
    [`a:5/b:1@${DIGEST}`, '1', DIGEST],
  ])('%s has the tag %s and the digest %s', (source, tag, digest) => {
    const read = readPattern(source);
    expect(read.tag?.source).toBe(tag);
    expect(read.digest).toBe(digest);
  });

  it('takes no registry that is nothing but the suffix', () => {
    const reference = { ...readReference('a.com/x'), registry: '.a.com' };
    expect(matchesReference(readPattern('*.a.com/**'), reference, 'as-written')).toBe(false);
  });
});

describe('the length of a path in a pattern', () => {
  const stars = (count: number): string => Array(count).fill('*').join('/');
  it.each([
    `a.com/${'a'.repeat(255)}`,
    `a.com/${'a'.repeat(255)}*`,
    `a.com/**/${'a'.repeat(255)}`,
    `a.com/${stars(128)}`,
    'a'.repeat(247),
  ])('may be 255: %s', (pattern) => {
    expect(parseImagePattern(pattern).ok).toBe(true);
  });

  it.each([
    `a.com/${'a'.repeat(256)}`,
    `a.com/${'a'.repeat(256)}*`,
    `a.com/**/${'a'.repeat(256)}`,
    `a.com/a/${stars(128)}`,
    'a'.repeat(248),
  ])('may not be 256: %s', (pattern) => {
    expect(parseImagePattern(pattern)).toMatchObject({ ok: false });
  });
});

describe('a tag glob', () => {
  it.each(['latest', '*', 'v*', '*-alpine', '_', '1.*.3', '*.1', 't'.repeat(128)])(
    '%s can match',
    (glob) => {
      expect(isTagGlob(glob)).toBe(true);
    },
  );

  it.each(['', '**', '-*', '.x', 'a b', 'a:b', 'a/b', 'a@b', '[0-9]', '.+', 't'.repeat(129)])(
    '%j can match no tag',
    (glob) => {
      expect(isTagGlob(glob)).toBe(false);
    },
  );
});

const component = fc.constantFrom('a', 'b', 'ab', 'a-b', 'library', 'team-a');
const registry = fc.constantFrom(
  'docker.io',
  'example.com',
  'a.example.com',
  'b.a.example.com',
  'a.example.com:5000',
  'localhost',
);
const path = fc.array(component, { minLength: 1, maxLength: 4 });
const tag = fc.constantFrom('', ':latest', ':v1', ':v2');
const digest = fc.constantFrom('', '', `@${DIGEST}`, `@${OTHER_DIGEST}`);
const image = fc
  .tuple(registry, path, tag, digest)
  .map(([host, parts, ...rest]) => `${host}/${parts.join('/')}${rest.join('')}`);

const wildRegistry = fc.oneof(registry, fc.constantFrom('*.example.com', '*.com', '**'));
const wildComponent = fc.constantFrom('*', '**', 'a*', '*b', 'team-*', '*a*');
const wildPath = fc.array(fc.oneof(component, wildComponent), { minLength: 1, maxLength: 4 });
const wildTag = fc.oneof(tag, fc.constantFrom(':*', ':v*'));
const pattern = fc
  .tuple(wildRegistry, wildPath, wildTag, digest)
  .map(([host, parts, ...rest]) => `${host}/${parts.join('/')}${rest.join('')}`);

describe('any image pattern', () => {
  const reading = fc.constantFrom<TagReading>('as-written', 'as-proof');

  it('takes what the rules of the design say', () => {
    fc.assert(
      fc.property(pattern, image, reading, (text, asked, how) => {
        const expected = oracleTakes(text, readReference(asked), how === 'as-proof');
        expect(takes(text, asked, how)).toBe(expected);
      }),
      { numRuns: 6_000 },
    );
  });

  it('takes the reference that it was made from, in either reading', () => {
    fc.assert(
      fc.property(image, reading, (text, how) => {
        const { normalized } = readReference(text);
        // A tag beside a digest is no proof, unless the pattern holds the digest as well.
        expect(takes(text, text, how)).toBe(true);
        expect(takes(normalized, text, how)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never reaches into the registry by a wildcard of the path', () => {
    const hosts = fc.constantFrom('example.com', 'localhost:5000', 'docker.io');
    const wild = fc.array(fc.constantFrom('*', '**', 'a*', '*.com', 'a'), { minLength: 1 });
    fc.assert(
      fc.property(hosts, wild, image, (host, parts, text) => {
        const reference = readReference(text);
        fc.pre(reference.registry !== host);
        expect(takes(`${host}/${parts.join('/')}`, text)).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is read or refused, and never throws, whatever it says', () => {
    const unit = fc.constantFrom('a', 'A', '*', '.', '/', ':', '@', '-', '_', '[', ']', DIGEST);
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 20 }), (text) => {
        const parsed = parseImagePattern(text);
        expect(parsed.ok || parsed.error !== '').toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes some image, if it was read at all', () => {
    const unit = fc.constantFrom('a', 'b', '*', '.', '/', ':', '-', '_', '**/', 'a.com/');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
        const parsed = parseImagePattern(text);
        fc.pre(parsed.ok);
        expect(takes(text, witness(text))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});

/** An image that a pattern takes: an `a` for each wildcard, where the grammar allows it. */
function witness(pattern: string): string {
  const [first = '', ...rest] = pattern.split('/');
  const anyRegistry = /^\*\*(:|$)/.test(first);
  const whole = anyRegistry ? ['w.io', first.replace('**', 'a'), ...rest] : [first, ...rest];
  return whole.join('/').replaceAll('**', 'a').replaceAll('*', 'a');
}

describe('the host of a pattern, in lower case', () => {
  it.each([
    ['Example.com/x:v*', { kind: 'exact', registry: 'example.com' }],
    ['*.Example.com/x', { kind: 'suffix', suffix: '.example.com' }],
    ['Index.docker.io/a/b', { kind: 'exact', registry: 'docker.io' }],
  ])('makes of %s a pattern of %j', (source, registry) => {
    const pattern = readPattern(source);
    expect(foldImagePattern(pattern)).toEqual({ ...pattern, registry });
  });

  it.each([
    ['Docker.io/nginx', 'docker.io/nginx'],
    ['INDEX.docker.io/nginx:v*', 'docker.io/nginx:v*'],
    ['Docker.io/team-*', 'docker.io/team-*'],
    ['Docker.io/**', 'docker.io/**'],
    ['Docker.io/a/b', 'docker.io/a/b'],
  ])('makes of %s what %s is', (source, folded) => {
    const read = { ...foldImagePattern(readPattern(source)), source: folded };
    expect(JSON.stringify(read)).toBe(JSON.stringify(readPattern(folded)));
  });

  it('takes of references in lower case what it takes when all is written in lower case', () => {
    const host = fc.constantFrom(
      'Docker.io',
      'INDEX.docker.io',
      'docker.io',
      'A.com:5000',
      'X.A.com',
    );
    const path = fc.constantFrom('nginx', 'library/nginx', 'team/nginx', 'nginx/library');
    const wild = fc.constantFrom('**', '*', 'n*', '**/nginx', 'library/*', 'library/**', '*/*');
    const hostPattern = fc.oneof(host, fc.constantFrom('**', '*.A.com'));
    const written = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
      fc.tuple(...parts).map((all) => all.join('/'));
    fc.assert(
      fc.property(written(hostPattern, fc.oneof(path, wild)), written(host, path), (one, other) => {
        const folded = foldImagePattern(readPattern(one));
        expect(matchesReference(folded, foldRegistry(readReference(other)), 'as-written')).toBe(
          takes(one.toLowerCase(), other.toLowerCase()),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(['**', '**/x', 'nginx', 'example.com/x', '*.example.com/x'])(
    'leaves %s as it is',
    (source) => {
      const pattern = readPattern(source);
      expect(foldImagePattern(pattern)).toBe(pattern);
    },
  );
});
