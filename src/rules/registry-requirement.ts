import type { KeyObject, X509Certificate } from 'node:crypto';

/** What to do when a check could not be made; what was checked and refused is never excused. */
export type OnError = 'deny' | 'warn' | 'allow';

/** What the keys of `require` ask that only the registry can answer. At least one is given. */
export interface RegistryRequirement {
  /** Every entry must hold. */
  readonly signatures: readonly SignatureRequirement[];
  /** Every entry must hold. */
  readonly attestations: readonly AttestationRequirement[];
  readonly digestMatchesTag: boolean;
  /** Days. */
  readonly maxAge: number | undefined;
  readonly platforms: readonly Platform[];
  /**
   * SHA-256 in hex over all that is asked, the bytes of keys and certificates included: two
   * requirements with the same hash give the same verdict over the same image.
   */
  readonly hash: string;
}

/** `os/architecture` or `os/architecture/variant` */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
}

/** Whose signature counts. One of the three is given. */
export interface Signers {
  readonly keys: readonly TrustedKey[];
  readonly certificates: CertificateTrust | undefined;
  readonly keyless: KeylessTrust | undefined;
}

export interface TrustedKey {
  /** How the rules file names it: a file, or `inline key 1`. */
  readonly source: string;
  readonly key: KeyObject;
  /** SHA-256 of the SPKI DER in hex: two entries with the same id are one key. */
  readonly id: string;
}

/** A signer's certificate of a public key infrastructure of one's own. */
export interface CertificateTrust {
  readonly roots: readonly X509Certificate[];
  readonly intermediates: readonly X509Certificate[];
  readonly identities: readonly TrustedIdentity[];
}

/** Fulcio and Rekor, by a trusted root file; no connection. */
export interface KeylessTrust {
  /** The text of the trusted root file, checked when the rules were loaded. */
  readonly trustedRoot: string;
  readonly identities: readonly TrustedIdentity[];
}

export interface TrustedIdentity {
  /** For messages. */
  readonly source: string;
  /** Compares a subject alternative name, exactly or by an RE2 pattern anchored at both ends. */
  matches(san: string): boolean;
  /** Exact; keyless alone has one. */
  readonly issuer: string | undefined;
}

export interface SignatureRequirement extends Signers {
  /** Each must stand in the same signature. */
  readonly annotations: ReadonlyMap<string, string>;
  /** Repositories (`registry/repository`) for which the signature may have been made, beside the image's own. */
  readonly repositories: readonly string[];
  /** How many different keys, or identities, must have signed. */
  readonly threshold: number;
}

export interface AttestationRequirement extends Signers {
  /** What is asked for, for messages: a predicate type, or `provenance` and the like. */
  readonly source: string;
  /**
   * What the predicate has to fulfil, by the predicate types that will do. One attestation that a
   * signer made has to fulfil all that is asked of its type.
   */
  readonly checks: ReadonlyMap<string, readonly PredicateCheck[]>;
}

/** One question to a predicate. */
export interface PredicateCheck {
  /** As in the rules file, for messages. */
  readonly source: string;
  /**
   * Why the predicate does not do; undefined when it does. Never throws.
   *
   * @param now milliseconds since 1970
   */
  refusal(predicate: unknown, now: number): string | undefined;
}
