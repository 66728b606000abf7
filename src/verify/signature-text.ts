import type { SignatureRequirement, Signers } from '../rules/registry-requirement.ts';
import { list, tally } from './refusal-list.ts';
import { signersOf } from './artefact-finding.ts';
import type { ArtefactFinding } from './artefact-finding.ts';

/** What was expected of the signatures, and what there is instead. */
export function refusalText(
  requirement: SignatureRequirement,
  findings: readonly ArtefactFinding[],
): string {
  const good = [...signersOf(findings).values()].map(({ name }) => name);
  const bad = findings.flatMap(({ refusal }) => refusal ?? []);
  const got = good.length === 0 ? 'none' : `${good.length} (${list(good)})`;
  const rest = bad.length === 0 ? '' : `; ${bad.length} do not count: ${list(tally(bad))}`;
  return `expected ${signatureExpectation(requirement)}, got ${got}${rest}`;
}

/** `a signature by release.pub` */
export function signatureExpectation(requirement: SignatureRequirement): string {
  const { threshold } = requirement;
  const names = list(namesOf(requirement), ' or ');
  if (threshold === 1) return `a signature by ${names}`;
  return `signatures by ${threshold} different signers of ${names}`;
}

/** How the rules name those whose signature counts. */
export function namesOf({ keys, certificates, keyless }: Signers): readonly string[] {
  const identities = [...(certificates?.identities ?? []), ...(keyless?.identities ?? [])];
  return [...keys, ...identities].map(({ source }) => source);
}
