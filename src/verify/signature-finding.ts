import type { Signer } from './signers.ts';

/** What became of one signature: by whom it is and, if it does not count, why. */
export interface SignatureFinding {
  readonly place: string;
  readonly signers: readonly Signer[];
  readonly refusal: string | undefined;
}

/** Different ones, by id. */
export function signersOf(findings: readonly SignatureFinding[]): ReadonlyMap<string, Signer> {
  const counted = findings.filter(({ refusal }) => refusal === undefined);
  return new Map(counted.flatMap(({ signers }) => signers).map((signer) => [signer.id, signer]));
}
