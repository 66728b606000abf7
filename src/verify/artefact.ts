/** Where something beside an image lies. */
export interface Origin {
  /** The tag or digest of a manifest, and which of its layers: for messages. */
  readonly place: string;
  /** How it was found: by a tag of cosign's, or as what refers to the image's manifest; undefined for what was not looked for. */
  readonly way: 'tag' | 'referrers API' | 'fallback tag' | undefined;
}

/** Something that cosign put beside an image: who signed it is not known yet, nor what it says. */
export interface Artefact extends Origin {
  /** Of an envelope; undefined for simple signing. */
  readonly payloadType: string | undefined;
  /** Says nothing until a signature was verified. */
  readonly payload: Uint8Array;
  /** What the signatures are over. */
  readonly signed: Uint8Array;
  /** One for simple signing, one or more for an envelope. */
  readonly signatures: readonly Uint8Array[];
  /** What the signer says of itself, in DER, leaf first; empty where it signed with a bare key. */
  readonly certificates: readonly Uint8Array[];
  /** The Sigstore bundle as JSON; undefined for what lies in none. */
  readonly bundle: unknown;
  /** What lies beside a signature of cosign 2 in place of a bundle, as text: what Rekor promised. */
  readonly rekorBundle: string | undefined;
}
