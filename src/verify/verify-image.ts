import type { RegistryRequirement } from '../rules/registry-requirement.ts';
import { checkAge } from './image-age.ts';
import { checkPlatforms } from './platforms.ts';
import type { ResolvedImage, VerifyContext } from './resolved-image.ts';
import { settle } from './settle.ts';
import { verifyAttestations } from './verify-attestations.ts';
import { verifySignatures } from './verify-signatures.ts';

/**
 * Everything that a requirement asks of what a digest stands for; what it asks of a tag is no part
 * of it. Messages of refusal, none when all holds.
 *
 * @throws {ImageCheckerError} `registry-unavailable` when nothing was refused and something could
 *   not be found out; `registry-corrupt`
 */
export type VerifyImage = (
  image: ResolvedImage,
  requirement: RegistryRequirement,
  context: VerifyContext,
) => Promise<readonly string[]>;

export const verifyImage: VerifyImage = async (image, requirement, context) => {
  const { signatures, attestations, platforms, maxAge } = requirement;
  const findings: Promise<readonly string[]>[] = [];
  if (signatures.length > 0) findings.push(verifySignatures(image, signatures, context));
  if (attestations.length > 0) findings.push(verifyAttestations(image, attestations, context));
  if (platforms.length > 0) findings.push(checkPlatforms(image, platforms, context));
  if (maxAge !== undefined) findings.push(checkAge(image, maxAge, context));
  const refusals = await settle(findings, (found) => found.some((each) => each.length > 0));
  return refusals.flat();
};

/** Whether the same image may pass at one time and not at another. */
export function dependsOnTime({ signatures, attestations, maxAge }: RegistryRequirement): boolean {
  // Certificates run out, and what is attested may be asked for its age.
  const certified = signatures.some(({ certificates, keyless }) => certificates ?? keyless);
  return certified || attestations.length > 0 || maxAge !== undefined;
}
