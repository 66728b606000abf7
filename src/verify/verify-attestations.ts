import { setImmediate } from 'node:timers/promises';
import { ImageCheckerError } from '../errors.ts';
import type { AttestationRequirement } from '../rules/registry-requirement.ts';
import type { Artefact } from './artefact.ts';
import { attestationRefusal } from './attestation-text.ts';
import { discoverArtefacts } from './discover.ts';
import type { Discovery } from './discover.ts';
import type { ResolvedImage, VerifyContext } from './resolved-image.ts';
import { findSigners } from './signers.ts';
import { readStatement, subjectOf } from './statement.ts';
import type { Statement } from './statement.ts';

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
  const judge = new Judge(image, context);
  const refusals: string[] = [];
  for (const requirement of requirements) {
    const reasons = await judge.find(requirement, found);
    if (reasons === undefined) continue;
    const [failure] = found.failures;
    if (failure !== undefined) throw failure;
    refusals.push(attestationRefusal(requirement, reasons));
  }
  return refusals;
}

class Judge {
  readonly #image: ResolvedImage;
  readonly #context: VerifyContext;
  /** Parsed once: an SBOM may be large, and several requirements may ask for it. */
  readonly #statements = new Map<Artefact, Statement | undefined>();

  constructor(image: ResolvedImage, context: VerifyContext) {
    this.#image = image;
    this.#context = context;
  }

  /** Undefined when an attestation does; otherwise why none of them does. */
  async find(
    requirement: AttestationRequirement,
    { artefacts, unusable }: Discovery,
  ): Promise<readonly string[] | undefined> {
    const reasons: string[] = [];
    for (const artefact of artefacts) {
      const refusal = await this.#refusalOf(artefact, requirement);
      if (refusal === undefined) return undefined;
      reasons.push(refusal);
    }
    return [...reasons, ...unusable.map(({ reason }) => reason)];
  }

  /** The signature comes first: what is not signed is not even parsed. */
  async #refusalOf(
    artefact: Artefact,
    requirement: AttestationRequirement,
  ): Promise<string | undefined> {
    const now = this.#context.now();
    const { reason } = await findSigners(artefact, requirement, now);
    if (reason !== undefined) return reason;
    await this.#breathe();
    const statement = this.#read(artefact);
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

  /** Checks take processor time: other reviews have their turn in between, and the deadline its say. */
  async #breathe(): Promise<void> {
    await setImmediate();
    if (!this.#context.signal.aborted) return;
    const message = 'no time is left to look at the attestations';
    throw new ImageCheckerError('registry-unavailable', { message });
  }

  #read(artefact: Artefact): Statement | undefined {
    if (!this.#statements.has(artefact)) this.#statements.set(artefact, readStatement(artefact));
    return this.#statements.get(artefact);
  }
}
