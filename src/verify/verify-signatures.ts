import type { SignatureRequirement } from '../rules/registry-requirement.ts';
import { findingOf, findingOfUnusable, signersOf } from './artefact-finding.ts';
import type { ArtefactFinding } from './artefact-finding.ts';
import type { Artefact } from './artefact.ts';
import { discoverArtefacts } from './discover.ts';
import type { Discovery } from './discover.ts';
import type { ResolvedImage, VerifyContext } from './resolved-image.ts';
import { claimsRefusal } from './signature-claims.ts';
import { refusalText } from './signature-text.ts';
import { findSigners } from './signers.ts';

/**
 * Whether an image is signed as every requirement asks. Messages of refusal, none when it is.
 *
 * @throws {ImageCheckerError} `registry-unavailable` when something could not be looked at without
 *   which it is not; `registry-limited` when no time is left; `registry-corrupt`
 */
export async function verifySignatures(
  image: ResolvedImage,
  requirements: readonly SignatureRequirement[],
  context: VerifyContext,
): Promise<readonly string[]> {
  const found = await discoverArtefacts(image, 'signature', context);
  const refusals: string[] = [];
  for (const requirement of requirements) {
    const findings = await judgeUntilMet(found, requirement, image, context);
    if (signersOf(findings).size >= requirement.threshold) continue;
    const [failure] = found.failures;
    if (failure !== undefined) throw failure;
    refusals.push(refusalText(requirement, findings));
  }
  return refusals;
}

async function judgeUntilMet(
  { artefacts, unusable }: Discovery,
  requirement: SignatureRequirement,
  image: ResolvedImage,
  context: VerifyContext,
): Promise<readonly ArtefactFinding[]> {
  const findings: ArtefactFinding[] = [];
  for (const artefact of artefacts) {
    findings.push(await judgeSignature(artefact, requirement, image, context));
    if (signersOf(findings).size >= requirement.threshold) return findings;
  }
  return [...findings, ...unusable.map(findingOfUnusable)];
}

/** The signature comes first: what is not signed is not even parsed. */
export async function judgeSignature(
  artefact: Artefact,
  requirement: SignatureRequirement,
  image: ResolvedImage,
  context: VerifyContext,
): Promise<ArtefactFinding> {
  const vouching = await findSigners(artefact, requirement, context);
  const refusal = vouching.reason ?? claimsRefusal(artefact, image, requirement);
  return findingOf(artefact, vouching, { refusal });
}
