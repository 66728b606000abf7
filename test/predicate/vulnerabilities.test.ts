import { describe, expect, it } from '@jest/globals';
import { scanAgeCheck, severityCheck } from '../../src/predicate/vulnerabilities.ts';
import type { MaxSeverity } from '../../src/predicate/vulnerabilities.ts';
import { HOSTILE } from './hostile.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');

const trivy = (...severities: unknown[]) => ({
  SchemaVersion: 2,
  ArtifactName: 'app',
  Results: [
    { Target: 'debian', Class: 'os-pkgs' },
    {
      Target: 'node',
      Vulnerabilities: severities.map((Severity, index) => ({
        VulnerabilityID: `CVE-2026-${index}`,
        Severity,
      })),
    },
  ],
});
const grype = (...severities: unknown[]) => ({
  matches: severities.map((severity, index) => ({
    vulnerability: { id: `CVE-2026-${index}`, severity },
    artifact: { name: 'openssl' },
  })),
  descriptor: { name: 'grype' },
});

function refusalOf(maximum: MaxSeverity, result: unknown): string | undefined {
  return severityCheck(maximum).refusal({ scanner: { uri: 'x', result } }, NOW);
}

describe('the severities of a report', () => {
  it.each([
    ['none', []],
    ['negligible', ['Negligible', 'negligible']],
    ['low', ['LOW', 'Negligible']],
    ['medium', ['MEDIUM', 'LOW', 'medium']],
    ['high', ['HIGH', 'MEDIUM', 'LOW', 'Negligible']],
  ] as const)('will do when none is above %s', (maximum, severities) => {
    expect(refusalOf(maximum, trivy(...severities))).toBeUndefined();
    expect(refusalOf(maximum, grype(...severities))).toBeUndefined();
  });

  it.each([
    ['none', 'Negligible'],
    ['none', 'LOW'],
    ['negligible', 'Low'],
    ['low', 'MEDIUM'],
    ['medium', 'High'],
    ['high', 'CRITICAL'],
    ['high', 'Critical'],
    ['high', 'UNKNOWN'],
    ['high', 'Unknown'],
    ['high', 'none'],
    ['high', ''],
    ['high', 'SEVERE'],
    ['high', 'high '],
    ['high', undefined],
    ['high', null],
    ['high', 9.8],
    ['high', ['LOW']],
    ['high', '__proto__'],
  ] as const)('are refused when the rule says %s and one is %j', (maximum, severity) => {
    for (const report of [trivy('LOW', severity), grype('Low', severity)]) {
      expect(refusalOf(maximum, report)).toMatch(/^there (are|is) [12] above it: CVE-2026-[01] /);
    }
  });

  it('are told up to a few', () => {
    expect(refusalOf('low', trivy('HIGH', 'LOW', 'CRITICAL', 'MEDIUM', 'UNKNOWN'))).toBe(
      'there are 4 above it: CVE-2026-0 high, CVE-2026-2 critical, CVE-2026-3 medium and 1 more',
    );
  });

  it('are none in a report of Trivy that leaves out empty lists', () => {
    expect(refusalOf('none', { SchemaVersion: 2, ArtifactName: 'a' })).toBeUndefined();
    expect(refusalOf('none', { SchemaVersion: 2, Results: null })).toBeUndefined();
    expect(
      refusalOf('none', { SchemaVersion: 2, Results: [{ Target: 'a', Vulnerabilities: null }] }),
    ).toBeUndefined();
    expect(refusalOf('none', grype())).toBeUndefined();
  });

  it.each([
    ['no report', undefined, 'there is no report at scanner.result'],
    ['null, as cosign writes where there is none', null, 'there is no report'],
    ['a list', [], 'there is no report'],
    ['a text', 'HIGH', 'there is no report'],
    ['an empty report', {}, 'the report is of no known scanner'],
    ['a report of both', { ...trivy(), ...grype() }, 'the report is of no known scanner'],
    ['SARIF', { version: '2.1.0', runs: [] }, 'the report is of no known scanner'],
    ['another schema of Trivy', { ...trivy(), SchemaVersion: 1 }, 'the report is malformed'],
    ['a schema of Trivy that is a text', { SchemaVersion: '2' }, 'the report is malformed'],
    ['results that are an object', { ...trivy(), Results: {} }, 'the report is malformed'],
    ['a result that is null', { ...trivy(), Results: [null] }, 'the report is malformed'],
    ['a result that is a list', { ...trivy(), Results: [[]] }, 'the report is malformed'],
    [
      'vulnerabilities that are a number',
      { ...trivy(), Results: [{ Vulnerabilities: 0 }] },
      'the report is malformed',
    ],
    [
      'a vulnerability that is null',
      { ...trivy(), Results: [{ Vulnerabilities: [null] }] },
      'the report is malformed',
    ],
    [
      'a vulnerability without a name',
      { ...trivy(), Results: [{ Vulnerabilities: [{ Severity: 'LOW' }] }] },
      'the report is malformed',
    ],
    ['matches that are null', { matches: null }, 'the report is malformed'],
    ['matches that are an object', { matches: {} }, 'the report is malformed'],
    ['a match that is a text', { matches: ['CVE'] }, 'the report is malformed'],
    ['a match without a vulnerability', { matches: [{}] }, 'the report is malformed'],
    [
      'a report of Trivy in a prototype',
      JSON.parse('{"__proto__":{"SchemaVersion":2}}'),
      'the report is of no known scanner',
    ],
  ])('are refused in %s', (_what, result: unknown, message) => {
    expect(refusalOf('high', result)?.slice(0, message.length)).toBe(message);
  });

  it('are read from a report as large as a registry gives', () => {
    const severities = Array.from({ length: 100_000 }, () => 'LOW');
    expect(refusalOf('low', trivy(...severities))).toBeUndefined();
    expect(refusalOf('negligible', grype(...severities))).toMatch(/^there are 100000 above it/);
  });
});

describe('the age of a scan', () => {
  const refusal = (scanFinishedOn: unknown, days = 7) =>
    scanAgeCheck(days).refusal({ metadata: { scanStartedOn: 'x', scanFinishedOn } }, NOW);

  it.each(['2026-11-27T12:00:00Z', '2026-11-20T12:00:00Z', '2026-11-27T13:00:00.5+01:00'])(
    'will do when it was finished at %s',
    (time) => {
      expect(refusal(time)).toBeUndefined();
    },
  );

  it.each([
    ['2026-11-20T11:59:59Z', 'the scan is one of 2026-11-20'],
    ['0001-01-01T00:00:00Z', 'the scan is one of 0001-01-01'],
    ['2026-11-28T00:00:00Z', 'the scan is one of the future (2026-11-28)'],
    ['2026-02-30T00:00:00Z', 'the scan is one that does not say when in RFC 3339'],
    ['yesterday', 'the scan is one that does not say when in RFC 3339'],
    [undefined, 'the scan is one that does not say when'],
    [null, 'the scan is one that does not say when'],
    [1_764_000_000, 'the scan is one that does not say when'],
  ])('is refused when it was finished at %j', (time, message) => {
    expect(refusal(time)).toBe(message);
  });
});

it.each(HOSTILE)('neither check is fulfilled by %s', (_what, predicate) => {
  expect(severityCheck('high').refusal(predicate, NOW)).toEqual(expect.any(String));
  expect(scanAgeCheck(7).refusal(predicate, NOW)).toEqual(expect.any(String));
});
