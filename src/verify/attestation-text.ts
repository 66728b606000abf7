import type { AttestationRequirement } from '../rules/registry-requirement.ts';
import { list, tally } from './refusal-list.ts';
import { namesOf } from './signature-text.ts';

/** What was expected of the attestations, and why none of those that there are does. */
export function attestationRefusal(
  requirement: AttestationRequirement,
  reasons: readonly string[],
): string {
  const expected = `expected ${attestationExpectation(requirement)}, got none`;
  if (reasons.length === 0) return expected;
  return `${expected}; ${reasons.length} do not count: ${list(tally(reasons))}`;
}

/** `an attestation (provenance) by release.pub` */
export function attestationExpectation(requirement: AttestationRequirement): string {
  return `an attestation (${requirement.source}) by ${list(namesOf(requirement), ' or ')}`;
}
