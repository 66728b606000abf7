import type { AttestationRequirement } from '../rules/registry-requirement.ts';
import { list, tally } from './refusal-list.ts';
import { namesOf } from './signature-text.ts';

/** What was expected of the attestations, and why none of those that there are does. */
export function attestationRefusal(
  requirement: AttestationRequirement,
  reasons: readonly string[],
): string {
  const names = list(namesOf(requirement), ' or ');
  const expected = `expected an attestation (${requirement.source}) by ${names}, got none`;
  if (reasons.length === 0) return expected;
  return `${expected}; ${reasons.length} do not count: ${list(tally(reasons))}`;
}
