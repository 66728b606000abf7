import type { Artefact, Origin } from './artefact.ts';
import type { Signer, Vouching } from './signers.ts';

/** What became of one signature or attestation: by whom it is and, if it does not count, why. */
export interface ArtefactFinding extends Origin {
  /** What it is written in; undefined for what could not be read. */
  readonly form: 'simple signing' | 'envelope' | 'bundle' | undefined;
  readonly signers: readonly Signer[];
  readonly strangers: readonly Signer[];
  /** What an attestation is of, where its signer is trusted. */
  readonly predicateType: string | undefined;
  readonly refusal: string | undefined;
}

/** @param outcome why it does not count, and what it is of */
export function findingOf(
  { place, way, bundle, payloadType }: Artefact,
  { signers, strangers }: Vouching,
  { refusal, predicateType }: { readonly refusal: string | undefined; predicateType?: string },
): ArtefactFinding {
  const plain = payloadType === undefined ? 'simple signing' : 'envelope';
  const form = bundle === undefined ? plain : 'bundle';
  return { place, way, form, signers, strangers, predicateType, refusal };
}

/** Of what nobody could look into. */
export function findingOfUnusable({
  place,
  way,
  reason,
}: Origin & { readonly reason: string }): ArtefactFinding {
  const nobody = { form: undefined, signers: [], strangers: [], predicateType: undefined };
  return { place, way, ...nobody, refusal: reason };
}

/** Different ones whose signatures count, by id. */
export function signersOf(findings: readonly ArtefactFinding[]): ReadonlyMap<string, Signer> {
  const counted = findings.filter(({ refusal }) => refusal === undefined);
  return new Map(counted.flatMap(({ signers }) => signers).map((signer) => [signer.id, signer]));
}
