import type { SignatureRequirement } from '../rules/registry-requirement.ts';
import type { Artefact } from './artefact.ts';
import { discoverArtefacts } from './discover.ts';
import type { Discovery } from './discover.ts';
import type { ResolvedImage, VerifyContext } from './resolved-image.ts';
import { claimsRefusal } from './signature-claims.ts';
import { signersOf } from './signature-finding.ts';
import type { SignatureFinding } from './signature-finding.ts';
import { refusalText } from './signature-text.ts';
import { findSigners } from './signers.ts';

/**
 * Whether an image is signed as every requirement asks. Messages of refusal, none when it is.
 *
 * @throws {ImageCheckerError} `registry-unavailable` when something could not be looked at without
 *   which it is not; `registry-corrupt`
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
): Promise<readonly SignatureFinding[]> {
  const findings: SignatureFinding[] = [];
  for (const artefact of artefacts) {
    findings.push(await judge(artefact, requirement, image, context));
    if (signersOf(findings).size >= requirement.threshold) return findings;
  }
  const rest = unusable.map(({ place, reason }) => ({ place, signers: [], refusal: reason }));
  return [...findings, ...rest];
}

/** The signature comes first: what is not signed is not even parsed. */
async function judge(
  artefact: Artefact,
  requirement: SignatureRequirement,
  image: ResolvedImage,
  context: VerifyContext,
): Promise<SignatureFinding> {
  const { signers, reason } = await findSigners(artefact, requirement, context);
  const refusal = reason ?? claimsRefusal(artefact, image, requirement);
  return { place: artefact.place, signers, refusal };
}
