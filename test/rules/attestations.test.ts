import { describe, expect, it } from '@jest/globals';
import { ImageCheckerError } from '../../src/errors.ts';
import type { Problem } from '../../src/errors.ts';
import { parsePolicy } from '../../src/rules/load.ts';
import type {
  AttestationRequirement,
  RegistryRequirement,
} from '../../src/rules/registry-requirement.ts';
import { NO_FILES } from '../../src/rules/rule-files.ts';
import { validate } from '../../src/rules/validate.ts';
import { newSigningKey } from '../support/cosign.ts';

const HEAD = [
  'apiVersion: image-checker/v1',
  'kind: ImagePolicy',
  'metadata: { name: test-policy }',
  'spec:',
  '  rules:',
  '  - name: attested',
  '',
].join('\n');
const NOW = Date.parse('2026-11-27T12:00:00Z');
const PEM = newSigningKey().trusted.key.export({ type: 'spki', format: 'pem' }).toString();
const KEYS = `keys: [${JSON.stringify(PEM)}]`;

/** Rules of one rule, whose keys begin on line 7. */
const sourceOf = (lines: readonly string[]) => ({
  file: 'rules.yaml',
  text: `${HEAD}${lines.map((line) => `    ${line}\n`).join('')}`,
});

function requirementOf(...lines: readonly string[]): RegistryRequirement {
  const [rule] = parsePolicy(sourceOf(lines)).rules;
  if (rule?.require.registry === undefined) throw new Error('nothing is asked of a registry');
  return rule.require.registry;
}

const attested = (entry: string): string => `require: { attestations: [{ ${KEYS}, ${entry} }] }`;

function attestationOf(entry: string): AttestationRequirement {
  const [attestation] = requirementOf(attested(entry)).attestations;
  if (attestation === undefined) throw new Error('no attestation is asked for');
  return attestation;
}

function textOf({ line, column, message, hint }: Problem): string {
  return `${line ?? '?'}:${column ?? '?'} ${message}${hint === undefined ? '' : ` [${hint}]`}`;
}

function mistakes(...lines: readonly string[]): readonly string[] {
  try {
    parsePolicy(sourceOf(lines));
  } catch (thrown) {
    if (thrown instanceof ImageCheckerError) return thrown.problems.map(textOf);
    throw thrown;
  }
  return [];
}

/** The refusals of a predicate of a type, all in one. */
function refusalsOf(attestation: AttestationRequirement, type: string, predicate: unknown) {
  return attestation.checks.get(type)?.map((check) => check.refusal(predicate, NOW));
}

const V02 = 'https://slsa.dev/provenance/v0.2';
const V1 = 'https://slsa.dev/provenance/v1';
const VULN = 'https://cosign.sigstore.dev/attestation/vuln/v1';
const SPDX = 'https://spdx.dev/Document';
const CYCLONEDX = 'https://cyclonedx.org/bom';

describe('attestations in the rules', () => {
  it('are asked for by a predicate type and by expressions', () => {
    const attestation = attestationOf(
      "predicateType: https://example.com/review/v1, cel: ['predicate.level > 2', 'predicate.ok']",
    );
    expect(attestation.source).toBe('https://example.com/review/v1');
    expect(attestation.keys).toMatchObject([{ source: 'inline key 1' }]);
    expect([...attestation.checks.keys()]).toEqual(['https://example.com/review/v1']);
    const refusals = refusalsOf(attestation, 'https://example.com/review/v1', { level: 3 });
    expect(refusals).toEqual([undefined, 'cannot be evaluated: field not found: ok']);
  });

  it('are asked for by a predicate type alone', () => {
    const attestation = attestationOf('predicateType: https://example.com/review/v1');
    expect(attestation.checks).toEqual(new Map([['https://example.com/review/v1', []]]));
  });

  it('are provenance of either version', () => {
    const attestation = attestationOf(
      'provenance: { builder: b, source: "git+https://git.example.com/team/app.git" }, cel: ["has(predicate.x)"]',
    );
    const source = 'https://git.example.com/team/app';
    const v02 = { builder: { id: 'b' }, invocation: { configSource: { uri: source } }, x: 1 };
    const v1 = {
      runDetails: { builder: { id: 'b' } },
      buildDefinition: { externalParameters: { source } },
    };
    expect([...attestation.checks.keys()]).toEqual([V02, V1]);
    expect(refusalsOf(attestation, V02, v02)).toEqual([undefined, undefined, undefined]);
    expect(refusalsOf(attestation, V1, v1)).toEqual([undefined, undefined, 'is not true']);
  });

  it('are a scan for vulnerabilities', () => {
    const attestation = attestationOf('vulnerabilities: { maxSeverity: medium, scannedWithin: 7 }');
    const predicate = {
      scanner: { result: { matches: [{ vulnerability: { id: 'a', severity: 'High' } }] } },
      metadata: { scanFinishedOn: '2026-11-01T00:00:00Z' },
    };
    expect([...attestation.checks.keys()]).toEqual([VULN]);
    expect(refusalsOf(attestation, VULN, predicate)).toEqual([
      'there are 1 above it: a high',
      'the scan is one of 2026-11-01',
    ]);
  });

  it('are an SBOM in the formats that will do', () => {
    const both = attestationOf('sbom: { formats: [spdx, cyclonedx], forbiddenPackages: [evil] }');
    expect([...both.checks.keys()]).toEqual([SPDX, CYCLONEDX]);
    const spdx = { spdxVersion: 'SPDX-2.3', packages: [{ name: 'evil' }] };
    expect(refusalsOf(both, SPDX, spdx)).toEqual([undefined, 'the SBOM lists evil']);
    const one = attestationOf('sbom: { formats: [cyclonedx] }');
    expect([...one.checks.keys()]).toEqual([CYCLONEDX]);
    expect(one.checks.get(CYCLONEDX)).toHaveLength(1);
  });

  it('have a hash over all that is asked', () => {
    const hashes = [
      'provenance: { builder: b }',
      'provenance: { builder: c }',
      'provenance: { source: https://git.example.com/a }',
      'vulnerabilities: { maxSeverity: medium }',
      'vulnerabilities: { maxSeverity: high }',
      'vulnerabilities: { scannedWithin: 7 }',
      'sbom: { formats: [spdx] }',
      'sbom: { formats: [cyclonedx] }',
      'sbom: { formats: [spdx], forbiddenPackages: [a] }',
      'predicateType: a:b',
      `predicateType: a:b, cel: ['predicate.a == "${'x'.repeat(200)}1"']`,
      `predicateType: a:b, cel: ['predicate.a == "${'x'.repeat(200)}2"']`,
    ].map((entry) => requirementOf(attested(entry)).hash);
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(requirementOf(attested('predicateType: a:b')).hash).toBe(hashes[9]);
  });
});

describe('what the rules ask of an image itself', () => {
  it('is compiled', () => {
    const lines =
      'require: { digestMatchesTag: true, maxAge: 90, platforms: [linux/amd64, linux/arm/v7] }';
    expect(requirementOf(lines)).toMatchObject({
      signatures: [],
      attestations: [],
      digestMatchesTag: true,
      maxAge: 90,
      platforms: [
        { os: 'linux', architecture: 'amd64', variant: undefined },
        { os: 'linux', architecture: 'arm', variant: 'v7' },
      ],
    });
  });

  it('is nothing where it is not said', () => {
    expect(requirementOf('require: { maxAge: 1 }')).toMatchObject({
      digestMatchesTag: false,
      maxAge: 1,
      platforms: [],
    });
  });

  it('has a hash over all of it', () => {
    const hashes = [
      ['maxAge: 1', 'maxAge: 2', 'digestMatchesTag: true', 'platforms: [linux/amd64]'],
      [
        'platforms: [linux/arm64]',
        'platforms: [linux/arm64/v8]',
        'maxAge: 1, platforms: [linux/amd64]',
      ],
    ]
      .flat()
      .map((keys) => requirementOf(`require: { ${keys} }`).hash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('may be excused when it could not be found out', () => {
    const [rule] = parsePolicy(sourceOf(['onError: warn', 'require: { maxAge: 1 }'])).rules;
    expect(rule?.onError).toBe('warn');
  });

  it('is warned of where the node may pull something else', () => {
    const warningsOf = (keys: string) =>
      validate(sourceOf([`require: { ${keys} }`]), { files: NO_FILES, now: NOW }).warnings.map(
        textOf,
      );
    for (const key of ['maxAge: 1', 'digestMatchesTag: true', 'platforms: [linux/amd64]']) {
      expect(warningsOf(key)).toEqual([
        expect.stringContaining('what the tag points at is judged'),
      ]);
      expect(warningsOf(`${key}, digest: true`)).toEqual([]);
    }
  });
});

describe('a mistake about what a registry is asked', () => {
  it.each([
    [
      'digestMatchesTag: false',
      '7:34 spec.rules[0].require.digestMatchesTag: expected true, got false [leave the key out, false would do nothing]',
    ],
    ['maxAge: 0', '7:24 spec.rules[0].require.maxAge: expected at least 1, got 0'],
    ['maxAge: 36501', '7:24 spec.rules[0].require.maxAge: expected at most 36500, got 36501'],
    ['maxAge: 1.5', '7:24 spec.rules[0].require.maxAge: expected a whole number, got 1.5'],
    ['maxAge: 30d', '7:24 spec.rules[0].require.maxAge: expected a number, got "30d"'],
    [
      'maxAge: "30"',
      '7:24 spec.rules[0].require.maxAge: expected a number, got "30" [write it without quotes]',
    ],
    [
      'platforms: []',
      '7:16 spec.rules[0].require.platforms: expected at least 1 item, got an empty list',
    ],
    [
      'platforms: linux/amd64',
      '7:27 spec.rules[0].require.platforms: expected a list, got "linux/amd64" [write ["linux/amd64"]]',
    ],
    [
      'platforms: [amd64]',
      '7:28 spec.rules[0].require.platforms[0]: expected os/architecture or os/architecture/variant, got "amd64" [write something like linux/amd64 or linux/arm/v7]',
    ],
    [
      'platforms: [linux/amd64/v1/x]',
      '7:28 spec.rules[0].require.platforms[0]: expected os/architecture or os/architecture/variant',
    ],
    [
      'platforms: [linux/amd64/]',
      '7:28 spec.rules[0].require.platforms[0]: expected os/architecture or os/architecture/variant',
    ],
    [
      'platforms: [linux/x86_64]',
      '7:28 spec.rules[0].require.platforms[0]: unknown architecture "x86_64" [did you mean "amd64"?]',
    ],
    [
      'platforms: [linux/amd46]',
      '7:28 spec.rules[0].require.platforms[0]: unknown architecture "amd46" [did you mean "amd64"?]',
    ],
    [
      'platforms: [Linux/amd64]',
      '7:28 spec.rules[0].require.platforms[0]: unknown system "Linux" [did you mean "linux"?]',
    ],
    [
      'platforms: [unknown/unknown]',
      '7:28 spec.rules[0].require.platforms[0]: unknown system "unknown" [known are linux,',
    ],
    [
      'attestations: []',
      '7:16 spec.rules[0].require.attestations: expected at least 1 item, got an empty list',
    ],
    ['maxage: 1', '7:16 unknown key "maxage" [did you mean "maxAge"?]'],
  ])('is told with its place: %s', (keys, message) => {
    expect(mistakes(`require: { ${keys} }`)).toContainEqual(expect.stringContaining(message));
  });

  it.each([
    ['sbom: { formats: [spdx] }, threshold: 2', 'unknown key "threshold"'],
    [
      '',
      '.attestations[0]: expected one of predicateType, provenance, vulnerabilities, sbom [give each attestation',
    ],
    ['cel: ["predicate.a"]', '.attestations[0]: expected one of predicateType, provenance'],
    [
      'predicateType: a:b, sbom: { formats: [spdx] }',
      '.attestations[0]: expected one of predicateType',
    ],
    [
      'predicateType: slsaprovenance',
      'expected the URI of a predicate type, got "slsaprovenance" [write `provenance: {...}`, or https://slsa.dev/provenance/v0.2]',
    ],
    ['predicateType: vuln', 'got "vuln" [write `vulnerabilities: {...}`'],
    ['predicateType: "a b:c"', 'expected the URI of a predicate type'],
    [
      'predicateType: https://sigstore.dev/cosign/sign/v1',
      'this is a signature of cosign 3, no attestation [use require.signatures]',
    ],
    ['provenance: {}', 'provenance: expected at least one of builder, source'],
    ['provenance: { builder: "" }', 'builder: expected at least 1 character'],
    [
      'provenance: { source: github.com/team/app }',
      'expected the https URL of a repository, got "github.com/team/app" [write something like https://github.com/team/app]',
    ],
    [
      'provenance: { source: "http://github.com/team/app" }',
      'expected the https URL of a repository',
    ],
    [
      'provenance: { source: "https://me:secret@github.com/team/app" }',
      'expected the https URL of a repository',
    ],
    ['provenance: { sourceRepository: x }', 'unknown key "sourceRepository"'],
    ['vulnerabilities: {}', 'expected at least one of maxSeverity, scannedWithin'],
    [
      'vulnerabilities: { maxSeverity: critical }',
      'maxSeverity: expected "none" or "negligible" or "low" or "medium" or "high", got "critical"',
    ],
    ['vulnerabilities: { maxSeverity: HIGH }', 'got "HIGH" [did you mean "high"?]'],
    ['vulnerabilities: { scannedWithin: 0 }', 'scannedWithin: expected at least 1, got 0'],
    ['sbom: {}', 'sbom.formats is missing: expected a list'],
    ['sbom: { formats: [] }', 'formats: expected at least 1 item'],
    ['sbom: { formats: [cyclone-dx] }', 'got "cyclone-dx" [did you mean "cyclonedx"?]'],
    [
      'sbom: { formats: [spdx], forbiddenPackages: [] }',
      'forbiddenPackages: expected at least 1 item',
    ],
    [
      'sbom: { formats: [spdx], forbiddenPackages: ["pkg:npm"] }',
      'forbiddenPackages[0]: not a package URL [write pkg:type/name',
    ],
    [
      'sbom: { formats: [spdx], forbiddenPackages: ["left-pad@1.3.0"] }',
      'a name has no version [write it as a package URL: pkg:npm/left-pad@1.3.0]',
    ],
    [
      'sbom: { formats: [spdx], forbiddenPackages: ["log4j*"] }',
      'names are compared exactly, without * [list each package by its name]',
    ],
    ['predicateType: a:b, cel: []', 'cel: expected at least 1 item'],
    [
      'predicateType: a:b, cel: ["predicate."]',
      'cel[0]: not CEL: 1:10: found . [the language is described at https://cel.dev]',
    ],
    [
      'predicateType: a:b, cel: ["predicat.a"]',
      'cel[0]: unknown name "predicat" [known are predicate and now]',
    ],
    ['predicateType: a:b, cel: ["true"]', 'cel[0]: the expression does not read the predicate'],
  ])('is told with what to do: %s', (entry, message) => {
    const got = mistakes(attested(entry));
    expect(got).toContainEqual(expect.stringContaining(message));
    expect(got.every((each) => each.startsWith('7:'))).toBe(true);
  });

  it('is told of signers too', () => {
    const got = mistakes('require: { attestations: [{ sbom: { formats: [spdx] } }] }');
    expect(got).toEqual([
      expect.stringContaining('expected one of keys, certificateChain, keyless'),
    ]);
    expect(
      mistakes('require: { attestations: [{ keys: [missing.pub], sbom: { formats: [spdx] } }] }'),
    ).toEqual([expect.stringContaining('missing.pub cannot be read')]);
  });

  it('is told beside all others', () => {
    const entry = `{ ${KEYS}, predicateType: a:b, cel: ["predicat.a", "predicate.a.foo()"] }`;
    expect(
      mistakes(`require: { maxAge: 0, platforms: [linux/amd46], attestations: [${entry}] }`),
    ).toHaveLength(4);
  });
});
