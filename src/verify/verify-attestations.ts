import type { AttestationRequirement } from '../rules/registry-requirement.ts';
import type { Artefact } from './artefact.ts';
import { attestationRefusal } from './attestation-text.ts';
import { breathe } from './breathe.ts';
import { discoverArtefacts } from './discover.ts';
import type { ResolvedImage, VerifyContext } from './resolved-image.ts';
import { findSigners } from './signers.ts';
import { readStatement, subjectOf } from './statement.ts';
import type { Statement } from './statement.ts';

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
 *   which there is none, or no time is left; `registry-corrupt`
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
    if (open.length > 0) open = await stillOpen(open, new Reading(artefact, image, context));
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
  reading: Reading,
): Promise<readonly OpenRequirement[]> {
  const left: OpenRequirement[] = [];
  for (const each of open) {
    const refusal = await reading.refusal(each.requirement);
    if (refusal === undefined) continue;
    each.reasons.push(refusal);
    left.push(each);
  }
  return left;
}

/** One attestation. Its signature comes first: what is not signed is not even parsed. */
class Reading {
  readonly #artefact: Artefact;
  readonly #image: ResolvedImage;
  readonly #context: VerifyContext;
  #parsed: { readonly statement: Statement | undefined } | undefined;

  constructor(artefact: Artefact, image: ResolvedImage, context: VerifyContext) {
    this.#artefact = artefact;
    this.#image = image;
    this.#context = context;
  }

  async refusal(requirement: AttestationRequirement): Promise<string | undefined> {
    const now = this.#context.now();
    const { reason } = await findSigners(this.#artefact, requirement, this.#context);
    if (reason !== undefined) return reason;
    await breathe(this.#context.signal);
    this.#parsed ??= { statement: readStatement(this.#artefact) };
    const { statement } = this.#parsed;
    if (statement === undefined) return 'no in-toto statement';
    const checks = requirement.checks.get(statement.predicateType);
    if (checks === undefined) return 'of another type';
    if (subjectOf(statement, this.#image.digest) === undefined) return 'about another image';
    const refusals = checks.flatMap((check) => {
      const why = check.refusal(statement.predicate, now);
      return why === undefined ? [] : [`${check.source}: ${why}`];
    });
    return refusals.length === 0 ? undefined : refusals.join(', ');
  }
}
