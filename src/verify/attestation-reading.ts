import type { AttestationRequirement } from '../rules/registry-requirement.ts';
import { findingOf } from './artefact-finding.ts';
import type { ArtefactFinding } from './artefact-finding.ts';
import type { Artefact } from './artefact.ts';
import { breathe } from './breathe.ts';
import type { ResolvedImage, VerifyContext } from './resolved-image.ts';
import { findSigners } from './signers.ts';
import { readStatement, subjectOf } from './statement.ts';
import type { Statement } from './statement.ts';

/** One attestation. Its signature comes first: what is not signed is not even parsed. */
export class AttestationReading {
  readonly #artefact: Artefact;
  readonly #image: ResolvedImage;
  readonly #context: VerifyContext;
  #parsed: { readonly statement: Statement | undefined } | undefined;

  constructor(artefact: Artefact, image: ResolvedImage, context: VerifyContext) {
    this.#artefact = artefact;
    this.#image = image;
    this.#context = context;
  }

  /** @throws {ImageCheckerError} `registry-limited` when the deadline is over */
  async findingFor(requirement: AttestationRequirement): Promise<ArtefactFinding> {
    const now = this.#context.now();
    const vouching = await findSigners(this.#artefact, requirement, this.#context);
    const { reason } = vouching;
    if (reason !== undefined) return findingOf(this.#artefact, vouching, { refusal: reason });
    await breathe(this.#context.signal);
    this.#parsed ??= { statement: readStatement(this.#artefact) };
    const { statement } = this.#parsed;
    return findingOf(this.#artefact, vouching, {
      refusal: this.#refusalOf(statement, requirement, now),
      ...(statement && { predicateType: statement.predicateType }),
    });
  }

  #refusalOf(
    statement: Statement | undefined,
    requirement: AttestationRequirement,
    now: number,
  ): string | undefined {
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
