import { z } from 'zod';
import { compileCel } from '../predicate/cel.ts';
import { parsePackageUrl } from '../predicate/packages.ts';
import { canonicalRepository } from '../predicate/provenance.ts';
import { MAX_SEVERITIES } from '../predicate/vulnerabilities.ts';
import { refuse } from './refuse.ts';
import type { Refinement } from './refuse.ts';
import { checkSigners, signersShape } from './signers-schema.ts';
import { withSomeKey } from './some-key.ts';

/** How an entry says what is asked; one of them. */
const FORMS = ['predicateType', 'provenance', 'vulnerabilities', 'sbom'] as const;

const SIGN_PREDICATE_TYPE = 'https://sigstore.dev/cosign/sign/v1';
/** What `cosign attest --type` takes in place of a predicate type. */
const SHORT_TYPES: ReadonlyMap<string, string> = new Map([
  ['slsaprovenance', 'write `provenance: {...}`, or https://slsa.dev/provenance/v0.2'],
  ['slsaprovenance02', 'write `provenance: {...}`, or https://slsa.dev/provenance/v0.2'],
  ['slsaprovenance1', 'write `provenance: {...}`, or https://slsa.dev/provenance/v1'],
  ['spdx', 'write `sbom: {...}`, or https://spdx.dev/Document'],
  ['spdxjson', 'write `sbom: {...}`, or https://spdx.dev/Document'],
  ['cyclonedx', 'write `sbom: {...}`, or https://cyclonedx.org/bom'],
  ['vuln', 'write `vulnerabilities: {...}`, or https://cosign.sigstore.dev/attestation/vuln/v1'],
  ['link', 'write https://in-toto.io/Link/v1'],
  ['custom', 'write https://cosign.sigstore.dev/attestation/v1'],
]);
const URI = /^[a-z][a-z0-9+.-]*:\S+$/i;

const MAX_DAYS = 3650;
const MAX_PACKAGES = 1000;

function checkPredicateType(type: string, context: Refinement): void {
  if (type === SIGN_PREDICATE_TYPE) {
    refuse(context, 'this is a signature of cosign 3, no attestation', 'use require.signatures');
  } else if (!URI.test(type)) {
    const hint = SHORT_TYPES.get(type) ?? 'it is in the payload, as predicateType';
    refuse(context, `expected the URI of a predicate type, got ${JSON.stringify(type)}`, hint);
  }
}

function parseRepository(written: string, context: Refinement): string {
  const repository = canonicalRepository(written);
  if (repository !== undefined) return repository;
  const message = `expected the https URL of a repository, got ${JSON.stringify(written)}`;
  return refuse(context, message, 'write something like https://github.com/team/app');
}

function checkPackage(written: string, context: Refinement): void {
  const isUrl = written.startsWith('pkg:');
  if (isUrl && parsePackageUrl(written) === undefined) {
    refuse(context, 'not a package URL', 'write pkg:type/name or pkg:type/namespace/name@version');
  } else if (!isUrl && written.lastIndexOf('@') > 0) {
    refuse(context, 'a name has no version', `write it as a package URL: pkg:npm/${written}`);
  } else if (written.includes('*')) {
    refuse(context, 'names are compared exactly, without *', 'list each package by its name');
  }
}

function checkExpression(source: string, context: Refinement): void {
  const compiled = compileCel(source);
  if (compiled.ok) return;
  for (const { message, hint } of compiled.mistakes) refuse(context, message, hint);
}

const provenance = withSomeKey({
  builder: z.string().min(1).max(1024).optional().describe('The id of the builder, exactly.'),
  source: z
    .string()
    .transform(parseRepository)
    .optional()
    .describe('The repository that was built, as an https URL without a revision.'),
}).describe('SLSA provenance, version 0.2 or 1.');

const vulnerabilities = withSomeKey({
  maxSeverity: z
    .enum(MAX_SEVERITIES)
    .optional()
    .describe('The worst that may be found; a severity nobody knows counts as the worst.'),
  scannedWithin: z.int().min(1).max(MAX_DAYS).optional().describe('Days since the scan.'),
}).describe("A scan by Trivy or Grype, as cosign's `--type vuln`.");

const sbom = z
  .strictObject({
    formats: z
      .array(z.enum(['spdx', 'cyclonedx']))
      .min(1)
      .describe('Which will do: spdx (version 2), cyclonedx.'),
    forbiddenPackages: z
      .array(z.string().min(1).max(512).superRefine(checkPackage))
      .min(1)
      .max(MAX_PACKAGES)
      .optional()
      .describe('Names, or package URLs with or without a version, that it may not list.'),
  })
  .describe('A software bill of materials that lists something.');

const attestation = z
  .strictObject({
    ...signersShape,
    predicateType: z
      .string()
      .min(1)
      .max(256)
      .superRefine(checkPredicateType)
      .optional()
      .describe('The predicate type of any other attestation, exactly.'),
    provenance: provenance.optional(),
    vulnerabilities: vulnerabilities.optional(),
    sbom: sbom.optional(),
    cel: z
      .array(z.string().min(1).superRefine(checkExpression))
      .min(1)
      .max(16)
      .optional()
      .describe('Expressions of CEL over `predicate` and `now`; each has to be true.'),
  })
  .superRefine((entry, context) => {
    checkSigners(entry, context);
    if (FORMS.filter((form) => entry[form] !== undefined).length === 1) return;
    const hint = 'give each attestation that is asked for an entry of its own';
    refuse(context, `expected one of ${FORMS.join(', ')}`, hint);
  });

/** The list of `require.attestations`. */
export const attestationsSchema = z
  .array(attestation)
  .min(1)
  .max(16)
  .describe(
    'Attestations by cosign that the image has to have; every entry must hold, each by one attestation.',
  );

export type AttestationSpec = z.output<typeof attestation>;
