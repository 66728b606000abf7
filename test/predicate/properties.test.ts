import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileCel } from '../../src/predicate/cel.ts';
import { readCycloneDx } from '../../src/predicate/cyclonedx.ts';
import { ForbiddenPackages, parsePackageUrl } from '../../src/predicate/packages.ts';
import {
  builderCheck,
  canonicalRepository,
  provenanceV02,
  provenanceV1,
  sourceCheck,
} from '../../src/predicate/provenance.ts';
import { forbiddenPackagesCheck, sbomCheck } from '../../src/predicate/sbom.ts';
import { readSpdx } from '../../src/predicate/spdx.ts';
import { scanAgeCheck, severityCheck } from '../../src/predicate/vulnerabilities.ts';
import type { PredicateCheck } from '../../src/rules/registry-requirement.ts';
import { cel } from '../support/cel.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const FORBIDDEN = new ForbiddenPackages(['evil', 'pkg:npm/evil', 'pkg:npm/bad@1.0.0']);

const CHECKS: readonly PredicateCheck[] = [
  builderCheck(provenanceV02, 'b'),
  builderCheck(provenanceV1, 'b'),
  sourceCheck(provenanceV02, 'https://git.example.com/a'),
  sourceCheck(provenanceV1, 'https://git.example.com/a'),
  severityCheck('medium'),
  scanAgeCheck(7),
  sbomCheck(readSpdx),
  sbomCheck(readCycloneDx),
  forbiddenPackagesCheck(readSpdx, FORBIDDEN),
  forbiddenPackagesCheck(readCycloneDx, FORBIDDEN),
  cel('predicate.packages.all(p, p.name != "evil" && p.externalRefs.size() < 3)'),
  cel('predicate.scanner.result.matches.map(m, m.vulnerability.severity).exists(s, s == "Low")'),
  cel('predicate == [predicate][0] && has(predicate.builder.id)'),
];

/** Keys that the checks read, so that random values come near to what they take. */
const KEYS = [
  ...['builder', 'id', 'invocation', 'configSource', 'uri', 'runDetails', 'buildDefinition'],
  ...['externalParameters', 'workflow', 'repository', 'source', 'scanner', 'result', 'matches'],
  ...['SchemaVersion', 'Results', 'Vulnerabilities', 'VulnerabilityID', 'Severity', 'severity'],
  ...['vulnerability', 'metadata', 'scanFinishedOn', 'spdxVersion', 'packages', 'name'],
  ...['versionInfo', 'externalRefs', 'referenceType', 'referenceLocator', 'bomFormat'],
  ...['components', 'purl', 'group', 'version', '__proto__', 'constructor', 'length'],
];
const TEXTS = [
  ...['b', 'https://git.example.com/a', 'LOW', 'Low', 'SPDX-2.3', 'CycloneDX', 'evil', 'purl'],
  ...['pkg:npm/evil@1', 'pkg:', '2026-11-26T00:00:00Z', 'SPDXVersion: SPDX-2.3\nPackageName: a'],
];

const predicates = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(...TEXTS, null, true, 0, 2, -1.5),
    fc.string({ maxLength: 8 }),
    fc.array(tie('value'), { maxLength: 4 }),
    // By JSON, as it is in an attestation: `__proto__` becomes a key of its own.
    fc
      .array(fc.tuple(fc.constantFrom(...KEYS), tie('value')), { maxLength: 5 })
      .map((entries): unknown =>
        JSON.parse(
          `{${entries.map(([key, value]) => `"${key}":${JSON.stringify(value)}`).join(',')}}`,
        ),
      ),
  ),
})).value;

describe('every check', () => {
  it('says why a predicate does not do, or nothing, and throws for none', () => {
    fc.assert(
      fc.property(predicates, (predicate) => {
        for (const check of CHECKS) {
          const refusal = check.refusal(predicate, NOW);
          expect(refusal === undefined || refusal.length > 0).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('says the same of the same predicate, and leaves it as it is', () => {
    fc.assert(
      fc.property(predicates, (predicate) => {
        const text = JSON.stringify(predicate);
        const first = CHECKS.map((check) => check.refusal(predicate, NOW));
        expect(CHECKS.map((check) => check.refusal(JSON.parse(text), NOW))).toEqual(first);
        expect(JSON.stringify(predicate)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a provenance', () => {
  it('is fulfilled by the builder alone, whatever else is written in its place', () => {
    fc.assert(
      fc.property(predicates, (id) => {
        const expected = id === 'b' ? undefined : expect.any(String);
        expect(builderCheck(provenanceV02, 'b').refusal({ builder: { id } }, NOW)).toEqual(
          expected,
        );
        const v1 = { runDetails: { builder: { id } } };
        expect(builderCheck(provenanceV1, 'b').refusal(v1, NOW)).toEqual(expected);
      }),
    );
  });

  it('names a repository that is its own shortest form', () => {
    const uris = fc.oneof(
      fc.webUrl({ validSchemes: ['https'], withFragments: true }),
      fc
        .tuple(fc.constantFrom('https://', 'git+https://', 'http://'), fc.string())
        .map((parts) => parts.join('h.example/')),
      fc.string(),
    );
    fc.assert(
      fc.property(uris, (uri) => {
        const repository = canonicalRepository(uri);
        fc.pre(repository !== undefined && !repository.endsWith('.git'));
        expect(canonicalRepository(repository)).toBe(repository);
        expect(canonicalRepository(`git+${repository}.git@refs/heads/x`)).toBe(repository);
      }),
    );
  });
});

describe('an expression', () => {
  const words = [
    ...[
      'predicate',
      'now',
      'x',
      '.a',
      '.all(x, ',
      '.exists(x, ',
      '.map(x, ',
      '.filter(x, ',
      ')',
      '(',
    ],
    ...[
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      ' && ',
      ' || ',
      ' == ',
      ' in ',
      '!',
      '-',
      ' + ',
      ' ? ',
      '1',
      '1.0',
    ],
    ...[
      '"a"',
      'size(',
      '.size()',
      '.matches("a")',
      'has(',
      'timestamp(',
      'duration(',
      'null',
      'true',
      '@',
    ],
  ];
  const sources = fc
    .array(fc.constantFrom(...words), { maxLength: 14 })
    .map((each) => each.join(''));

  it('is compiled or refused with what to do, and answers for any predicate', () => {
    fc.assert(
      fc.property(sources, predicates, (source, predicate) => {
        const compiled = compileCel(source);
        if (!compiled.ok) {
          expect(compiled.mistakes.length).toBeGreaterThan(0);
          for (const { message, hint } of compiled.mistakes) {
            expect(message === '' || hint === '').toBe(false);
          }
          return;
        }
        expect(compiled.check.refusal(predicate, NOW)).not.toBe('');
      }),
      { numRuns: 800 },
    );
  });
});

it('a package URL that is read is read again as the same', () => {
  const urls = fc
    .array(fc.constantFrom('npm', '/', '@', '%40', '%', '?', '#', 'A', '.', '1', ':'), {
      maxLength: 9,
    })
    .map((parts) => `pkg:${parts.join('')}`);
  fc.assert(
    fc.property(urls, (url) => {
      const parsed = parsePackageUrl(url);
      fc.pre(parsed !== undefined);
      const path = parsed.path.split('/').map(encodeURIComponent).join('/');
      const version = parsed.version === undefined ? '' : `@${encodeURIComponent(parsed.version)}`;
      const again = parsePackageUrl(`pkg:${path}${version}`);
      // A path may hold a slash that was escaped.
      if (!url.includes('%2')) expect(again).toEqual(parsed);
    }),
  );
});
