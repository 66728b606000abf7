/** Something that cosign put beside an image: who signed it is not known yet, nor what it says. */
export interface Artefact {
  /** Where it lies, for messages. */
  readonly place: string;
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
  /** The Sigstore bundle as JSON; undefined where nothing says when it was signed. */
  readonly bundle: unknown;
}
