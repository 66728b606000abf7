import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseImageReference } from '../../src/parse/image-reference.ts';
import { oracleParse } from './reference-oracle.ts';

function ours(image: string): object {
  const parsed = parseImageReference(image);
  if (!parsed.ok) return parsed;
  const { registry, repository, tag, digest } = parsed.reference;
  return { ok: true, registry, repository, tag, digest };
}

const HEX = 'a1'.repeat(32);

/** Pieces from which strings come out that nearly are references, and some that are. */
const PIECES = [
  ...['a', 'z', 'A', '0', '9', 'x', 'Z'],
  ...['.', '_', '__', '-', '--', ':', '/', '@', '[', ']', '+', '*', '%', '?', '#', '\\', ' '],
  ...['..', '//', '::', '@@', '___', './', '/.', '-.', '.-', '_.'],
  ...['localhost', 'docker.io', 'index.docker.io', 'library/', 'nginx', 'latest', ':latest'],
  ...[
    'sha256:',
    'sha384:',
    'sha512:',
    'SHA256:',
    'md5:',
    'sha256+b64:',
    'constructor:',
    '@sha256:',
  ],
  ...[HEX, HEX.toUpperCase(), HEX.slice(1), 'ab'.repeat(48), 'ab'.repeat(64), 'a'.repeat(31)],
  ...['a'.repeat(127), 'a/'.repeat(60), 'a.'.repeat(20), '[::1]', ':5000', ':443/', '1.2.3.4'],
  ...['\u0130', '\u212a', 'ß', 'Σ', 'ς', 'а', '\u200b', '\u202e', '\ud800', '😀', '\n', '\0', '\t'],
];

const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((all) => all.join(''));
const characters = fc.string({
  unit: fc.constantFrom('a', 'A', '0', '.', '_', '-', ':', '/', '@', '[', ']', '\u212a'),
  maxLength: 24,
});

/** References as they should be, with one piece put somewhere into it. */
const nearMisses = fc
  .record({
    registry: fc.constantFrom('', 'docker.io/', 'localhost:5000/', 'UP/', 'a.b-c.d/', '[::1]:5/'),
    path: fc.constantFrom('nginx', 'a/b/c', 'library/x', 'a__b/c-d', 'a---b.c_d'),
    tag: fc.constantFrom('', ':v1', ':latest', ':_a.b-c', `:${'t'.repeat(128)}`),
    digest: fc.constantFrom('', `@sha256:${HEX}`, `@sha512:${'0'.repeat(128)}`),
    piece: fc.constantFrom('', ...PIECES),
    at: fc.nat(),
  })
  .map(({ registry, path, tag, digest, piece, at }) => {
    const whole = registry + path + tag + digest;
    const index = at % (whole.length + 1);
    return whole.slice(0, index) + piece + whole.slice(index);
  });

interface Recorded {
  readonly input: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly registry?: string;
  readonly repository?: string;
  readonly tag?: string | null;
  readonly digest?: string | null;
}

const recorded = readFileSync(
  new URL('../fixtures/image-references.jsonl', import.meta.url),
  'utf8',
)
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded);

describe('the oracle', () => {
  it.each(recorded)('agrees with the recorded parse of $input', (row) => {
    const { input, ok, error, registry, repository, tag, digest } = row;
    expect(oracleParse(input)).toEqual(
      ok
        ? { ok, registry, repository, tag: tag ?? undefined, digest: digest ?? undefined }
        : { ok, error },
    );
  });
});

describe('the parser and the Go library', () => {
  it.each([
    ['pieces of references in any order', pieces, 6_000],
    ['short strings over the characters of the grammar', characters, 6_000],
    ['references with something put in', nearMisses, 6_000],
    ['any string', fc.string({ unit: 'binary', maxLength: 100 }), 1_500],
  ] as const)('agree on %s', (_title, strings, numRuns) => {
    fc.assert(
      fc.property(strings, (image) => {
        expect(ours(image)).toEqual(oracleParse(image));
      }),
      { numRuns },
    );
  });
});
