import { describe, expect, it } from '@jest/globals';
import { parseImageReference } from '../../src/parse/image-reference.ts';

const INVALID_FORMAT = 'invalid reference format';
const UNSUPPORTED = 'unsupported digest algorithm';
const HEX = '0123456789abcdef'.repeat(4);

describe('the grammar of references', () => {
  it.each([
    ['Z/nginx', 'Z', 'a host of the last uppercase letter'],
    ['A/nginx', 'A', 'a host of the first uppercase letter'],
    ['[A:F]/nginx', '[A:F]', 'an address of the first and the last hex digit'],
    ['[::1]:5000/nginx', '[::1]:5000', 'an address with a port'],
    ['a.b:09/nginx', 'a.b:09', 'a port of the first and the last digit'],
  ])('reads %s as an image of %s: %s', (image, registry) => {
    expect(parseImageReference(image)).toMatchObject({
      ok: true,
      reference: { registry, repository: 'nginx' },
    });
  });

  it.each([
    ['an empty address', '[]:5000/nginx', INVALID_FORMAT],
    ['an address that does not close', '[::1/nginx', INVALID_FORMAT],
    ['an address with a letter behind F', '[::G]/nginx', INVALID_FORMAT],
    ['something other than a port behind an address', '[::1]x5/nginx', INVALID_FORMAT],
    ['a port without a digit', 'example.com:/nginx', INVALID_FORMAT],
    ['an empty tag', 'nginx:', INVALID_FORMAT],
    ['an empty tag beside a digest', `nginx:@sha256:${HEX}`, INVALID_FORMAT],
    ['a component that begins with a separator', 'a/_b', INVALID_FORMAT],
    ['a component that begins with two dashes', 'a/--b', INVALID_FORMAT],
    ['an empty component', 'a//b', INVALID_FORMAT],
    ['uppercase letters in a host that is none', 'UP_x/y', 'repository name must be lowercase'],
    ['hex digits where a digest belongs', `x@${'a'.repeat(33)}`, INVALID_FORMAT],
    ['a digest without an algorithm', `x@:${HEX}`, INVALID_FORMAT],
    ['a digest of 31 digits', `x@sha1:${'a'.repeat(31)}`, INVALID_FORMAT],
    ['a digest of 32 digits by an unknown algorithm', `x@sha1:${'a'.repeat(32)}`, UNSUPPORTED],
    ['a digest with a letter behind f', `x@sha256:${'g'.repeat(64)}`, INVALID_FORMAT],
    ['a digest in uppercase', `x@sha256:${HEX.toUpperCase()}`, 'invalid checksum digest format'],
    ['an algorithm in uppercase', `x:1@SHA256:${HEX}`, 'invalid checksum digest format'],
    [
      'an algorithm in uppercase without a tag before it',
      `x@SHA256:${HEX}`,
      `${INVALID_FORMAT}: repository name (library/x@SHA256) must be lowercase`,
    ],
    ['an algorithm joined by a plus', `x@sha256+b64:${HEX}`, UNSUPPORTED],
    ['an algorithm joined by a dot', `x@sha256.b64:${HEX}`, UNSUPPORTED],
    ['an algorithm joined by a dash', `x@sha256-b64:${HEX}`, UNSUPPORTED],
    ['an algorithm joined by an underscore', `x@sha256_b64:${HEX}`, UNSUPPORTED],
    ['an algorithm joined by something else', `x@sha256!b64:${HEX}`, INVALID_FORMAT],
    ['an algorithm joined twice', `x@sha256++b64:${HEX}`, INVALID_FORMAT],
    ['an algorithm whose second part begins with a digit', `x@sha+2:${HEX}`, INVALID_FORMAT],
    ['an algorithm that ends in a separator', `x@sha256+:${HEX}`, INVALID_FORMAT],
    ['an algorithm that begins with a separator', `x@+sha256:${HEX}`, INVALID_FORMAT],
  ])('refuses %s', (_title, image, error) => {
    expect(parseImageReference(image)).toEqual({ ok: false, error });
  });
});
