import { describeDays, staleness } from '../parse/time.ts';
import type { PredicateCheck } from '../rules/registry-requirement.ts';
import { isObject } from '../parse/json-object.ts';
import { list, listAt, textAt, valueAt } from './json.ts';

/** cosign's COSIGN_VULN_ATTESTATION_SPEC.md: the scanner's own report is at `scanner.result`. */
export const VULNERABILITIES = 'https://cosign.sigstore.dev/attestation/vuln/v1';

/** From the least. `critical` is not among them: with it nothing would be above. */
export const MAX_SEVERITIES = ['none', 'negligible', 'low', 'medium', 'high'] as const;
export type MaxSeverity = (typeof MAX_SEVERITIES)[number];

/** A severity that is not one of these is as bad as the worst: nobody knows what it means. */
const RANKS: ReadonlyMap<string, number> = new Map(
  MAX_SEVERITIES.map((severity, rank) => [severity, rank]),
);
const WORST = MAX_SEVERITIES.length;

interface Vulnerability {
  readonly id: string;
  readonly severity: string;
}

/** No vulnerability of a greater severity in a report of Trivy or Grype. */
export function severityCheck(maximum: MaxSeverity): PredicateCheck {
  const limit = MAX_SEVERITIES.indexOf(maximum);
  return {
    source: `maxSeverity ${maximum}`,
    refusal: (predicate) => {
      const found = readReport(valueAt(predicate, 'scanner', 'result'));
      if (typeof found === 'string') return found;
      const above = found.filter(({ severity }) => rankOf(severity) > limit);
      if (above.length === 0) return undefined;
      return `there are ${above.length} above it: ${list(above.map(describe))}`;
    },
  };
}

/** Scanned at most so many days ago. */
export function scanAgeCheck(maxDays: number): PredicateCheck {
  return {
    source: `scannedWithin ${describeDays(maxDays)}`,
    refusal: (predicate, now) => {
      const got = staleness(textAt(predicate, 'metadata', 'scanFinishedOn'), maxDays, now);
      return got && `the scan is one ${got}`;
    },
  };
}

function rankOf(severity: string): number {
  const rank = RANKS.get(severity.toLowerCase());
  // A scanner has no severity `none`: it is what the rule asks for.
  return rank === undefined || rank === 0 ? WORST : rank;
}

/** Longer than the identifier of any vulnerability. */
const MAX_ID_LENGTH = 32;

function describe({ id, severity }: Vulnerability): string {
  return `${id.slice(0, MAX_ID_LENGTH)} ${severity.slice(0, MAX_ID_LENGTH).toLowerCase()}`;
}

/** What a scanner found; a text says why its report cannot be read. */
function readReport(report: unknown): readonly Vulnerability[] | string {
  if (!isObject(report)) return 'there is no report at scanner.result';
  const isTrivy = Object.hasOwn(report, 'SchemaVersion');
  const isGrype = Object.hasOwn(report, 'matches');
  if (isTrivy === isGrype) return 'the report is of no known scanner (Trivy, Grype)';
  return (isTrivy ? readTrivy(report) : readGrype(report)) ?? 'the report is malformed';
}

const TRIVY_SCHEMA = 2;

/** Trivy leaves out lists that are empty. */
function readTrivy(report: unknown): readonly Vulnerability[] | undefined {
  const results = listAt(report, 'Results');
  if (valueAt(report, 'SchemaVersion') !== TRIVY_SCHEMA) return undefined;
  return flatten(results, (result) => {
    if (!isObject(result)) return undefined;
    return flatten(listAt(result, 'Vulnerabilities'), (each) =>
      read(textAt(each, 'VulnerabilityID'), valueAt(each, 'Severity')),
    );
  });
}

function readGrype(report: unknown): readonly Vulnerability[] | undefined {
  if (!Array.isArray(valueAt(report, 'matches'))) return undefined;
  return flatten(listAt(report, 'matches'), (match) =>
    read(textAt(match, 'vulnerability', 'id'), valueAt(match, 'vulnerability', 'severity')),
  );
}

/** Without an identifier it is no vulnerability; without a severity it is of an unknown one. */
function read(id: string | undefined, severity: unknown): readonly Vulnerability[] | undefined {
  if (id === undefined) return undefined;
  return [{ id, severity: typeof severity === 'string' ? severity : 'unknown' }];
}

/** What is malformed in one item is malformed as a whole. */
function flatten(
  items: readonly unknown[] | undefined,
  readItem: (item: unknown) => readonly Vulnerability[] | undefined,
): readonly Vulnerability[] | undefined {
  const read = items?.map(readItem);
  if (read === undefined || read.includes(undefined)) return undefined;
  return read.flatMap((each) => each ?? []);
}
