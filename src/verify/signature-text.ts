import type { SignatureRequirement, Signers } from '../rules/registry-requirement.ts';
import { signersOf } from './signature-finding.ts';
import type { SignatureFinding } from './signature-finding.ts';

/** Names or reasons in one message: the whole reason of a review has 1 KiB. */
const MAX_LISTED = 3;

/** What was expected of the signatures, and what there is instead. */
export function refusalText(
  requirement: SignatureRequirement,
  findings: readonly SignatureFinding[],
): string {
  const good = [...signersOf(findings).values()].map(({ name }) => name);
  const bad = findings.flatMap(({ refusal }) => refusal ?? []);
  const got = good.length === 0 ? 'none' : `${good.length} (${list(good)})`;
  const rest = bad.length === 0 ? '' : `; ${bad.length} do not count: ${list(tally(bad))}`;
  return `expected ${expectation(requirement)}, got ${got}${rest}`;
}

function expectation(requirement: SignatureRequirement): string {
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

/** Each once, with how often it is there. */
function tally(texts: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => (count === 1 ? text : `${text} (${count})`));
}

function list(texts: readonly string[], separator = ', '): string {
  const more = texts.length - MAX_LISTED;
  const shown = more > 0 ? [...texts.slice(0, MAX_LISTED), `${more} more`] : texts;
  return shown.join(separator);
}
