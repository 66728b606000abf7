import type { AttestationRequirement } from '../rules/registry-requirement.ts';
import { AttestationReading } from './attestation-reading.ts';
import { attestationRefusal } from './attestation-text.ts';
import { discoverArtefacts } from './discover.ts';
import type { ResolvedImage, VerifyContext } from './resolved-image.ts';

/** A requirement that no attestation has fulfilled yet, and why those that were looked at do not. */
interface OpenRequirement {
  readonly requirement: AttestationRequirement;
  readonly reasons: string[];
}

/**
 * Whether there is, for every requirement, one attestation about an image that a trusted signer made
 * and whose predicate fulfils every check. Messages of refusal, none when there is.
 *
 * @throws {ImageCheckerError} `registry-unavailable` when something could not be looked at without
 *   which there is none; `registry-limited` when no time is left; `registry-corrupt`
 */
export async function verifyAttestations(
  image: ResolvedImage,
  requirements: readonly AttestationRequirement[],
  context: VerifyContext,
): Promise<readonly string[]> {
  const found = await discoverArtefacts(image, 'attestation', context);
  let open: readonly OpenRequirement[] = requirements.map((requirement) => ({
    requirement,
    reasons: [],
  }));
  // One at a time, for all that ask: a statement may be large, and none is kept.
  for (const artefact of found.artefacts) {
    if (open.length > 0)
      open = await stillOpen(open, new AttestationReading(artefact, image, context));
  }
  const [failure] = found.failures;
  if (open.length > 0 && failure !== undefined) throw failure;
  const unusable = found.unusable.map(({ reason }) => reason);
  return open.map(({ requirement, reasons }) =>
    attestationRefusal(requirement, [...reasons, ...unusable]),
  );
}

async function stillOpen(
  open: readonly OpenRequirement[],
  reading: AttestationReading,
): Promise<readonly OpenRequirement[]> {
  const left: OpenRequirement[] = [];
  for (const each of open) {
    const { refusal } = await reading.findingFor(each.requirement);
    if (refusal === undefined) continue;
    each.reasons.push(refusal);
    left.push(each);
  }
  return left;
}
