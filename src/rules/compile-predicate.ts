import { compileCel } from '../predicate/cel.ts';
import { CYCLONEDX, readCycloneDx } from '../predicate/cyclonedx.ts';
import { ForbiddenPackages } from '../predicate/packages.ts';
import {
  builderCheck,
  PROVENANCE_V02,
  PROVENANCE_V1,
  provenanceV02,
  provenanceV1,
  sourceCheck,
} from '../predicate/provenance.ts';
import type { ProvenanceReader } from '../predicate/provenance.ts';
import { forbiddenPackagesCheck, sbomCheck } from '../predicate/sbom.ts';
import type { SbomReader } from '../predicate/sbom.ts';
import { readSpdx, SPDX } from '../predicate/spdx.ts';
import { scanAgeCheck, severityCheck, VULNERABILITIES } from '../predicate/vulnerabilities.ts';
import type { AttestationSpec } from './attestations-schema.ts';
import type { AttestationRequirement, PredicateCheck } from './registry-requirement.ts';

type Asked = Pick<AttestationRequirement, 'source' | 'checks'>;
type Checks = readonly (readonly [type: string, checks: readonly PredicateCheck[]])[];

/** What is asked of a predicate, by its type. */
export function compilePredicate(spec: AttestationSpec): Asked {
  const expressions = (spec.cel ?? []).map(compileExpression);
  const { source, checks } = compileForm(spec);
  return { source, checks: new Map(checks.map(([type, own]) => [type, [...own, ...expressions]])) };
}

function compileForm(spec: AttestationSpec): { source: string; checks: Checks } {
  const { predicateType = '', provenance, vulnerabilities, sbom } = spec;
  if (provenance !== undefined) return compileProvenance(provenance);
  if (vulnerabilities !== undefined) return compileVulnerabilities(vulnerabilities);
  if (sbom !== undefined) return compileSbom(sbom);
  return { source: predicateType, checks: [[predicateType, []]] };
}

function compileProvenance({ builder, source }: NonNullable<AttestationSpec['provenance']>) {
  const checksOf = (reader: ProvenanceReader): readonly PredicateCheck[] => [
    ...(builder === undefined ? [] : [builderCheck(reader, builder)]),
    ...(source === undefined ? [] : [sourceCheck(reader, source)]),
  ];
  const checks: Checks = [
    [PROVENANCE_V02, checksOf(provenanceV02)],
    [PROVENANCE_V1, checksOf(provenanceV1)],
  ];
  return { source: 'provenance', checks };
}

function compileVulnerabilities(spec: NonNullable<AttestationSpec['vulnerabilities']>) {
  const { maxSeverity, scannedWithin } = spec;
  const own = [
    ...(maxSeverity === undefined ? [] : [severityCheck(maxSeverity)]),
    ...(scannedWithin === undefined ? [] : [scanAgeCheck(scannedWithin)]),
  ];
  const checks: Checks = [[VULNERABILITIES, own]];
  return { source: 'vulnerabilities', checks };
}

const SBOMS = { spdx: [SPDX, readSpdx], cyclonedx: [CYCLONEDX, readCycloneDx] } as const;

function compileSbom({ formats, forbiddenPackages }: NonNullable<AttestationSpec['sbom']>) {
  const forbidden = forbiddenPackages && new ForbiddenPackages(forbiddenPackages);
  const checksOf = (reader: SbomReader): readonly PredicateCheck[] => [
    sbomCheck(reader),
    ...(forbidden === undefined ? [] : [forbiddenPackagesCheck(reader, forbidden)]),
  ];
  const checks = formats.map((format) => {
    const [type, reader] = SBOMS[format];
    return [type, checksOf(reader)] as const;
  });
  return { source: 'sbom', checks };
}

/** What was right when the rules were checked is right now. */
function compileExpression(source: string): PredicateCheck {
  const compiled = compileCel(source);
  if (compiled.ok) return compiled.check;
  throw new Error(compiled.mistakes[0]?.message);
}
