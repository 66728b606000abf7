import type { X509Certificate } from 'node:crypto';
import { isIssuedBy, isSame } from './pem.ts';

export type Certificates = readonly [X509Certificate, ...X509Certificate[]];

/** How far the change to another CA has come, as the files say. Of each CA, those above it follow. */
export interface RotationState {
  readonly current: Certificates;
  /** Made, and not yet in use. */
  readonly next: Certificates | undefined;
  /** No longer in use. */
  readonly previous: Certificates | undefined;
  readonly leaves: readonly X509Certificate[];
  /** What either side trusts. */
  readonly bundles: readonly (readonly X509Certificate[])[];
}

export type RotationStep =
  /** Both sides are to trust the new CA, too; absent: it is still to be made. */
  | { readonly step: 'trust-both'; readonly to?: Certificates }
  /** Keys and certificates are to come from the new CA. */
  | { readonly step: 'change-over'; readonly to: Certificates }
  /** The old CA is to be trusted no more. */
  | { readonly step: 'forget-old'; readonly old: readonly X509Certificate[] };

/** What is to be done next. */
export function nextStep(state: RotationState): RotationStep {
  const to = destination(state);
  if (to === undefined) return { step: 'trust-both' };
  if (!state.bundles.every((bundle) => holds(bundle, to[0]))) return { step: 'trust-both', to };
  if (!isInUse(state, to[0])) return { step: 'change-over', to };
  return { step: 'forget-old', old: forgettable(state) };
}

/** The CA that a change has begun to; undefined when none has. */
function destination(state: RotationState): Certificates | undefined {
  const { next, current, bundles } = state;
  if (next !== undefined && !isSame(next[0], current[0])) return next;
  const old = forgettable(state);
  const isTrusted = bundles.some((bundle) => old.some((one) => holds(bundle, one)));
  return isTrusted ? current : undefined;
}

/** Two CAs may have the same root above them, which stays. */
function forgettable({ previous, current }: RotationState): readonly X509Certificate[] {
  return previous?.filter((one) => !holds(current, one)) ?? [];
}

function isInUse({ current, leaves }: RotationState, authority: X509Certificate): boolean {
  if (!isSame(current[0], authority)) return false;
  return leaves.every((leaf) => isIssuedBy(leaf, authority));
}

export function holds(bundle: readonly X509Certificate[], wanted: X509Certificate): boolean {
  return bundle.some((one) => isSame(one, wanted));
}
