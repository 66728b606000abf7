import type { ImageReference } from '../parse/image-reference.ts';
import type { Manifest, Registry } from '../registry/registry.ts';

/** An image whose reference was resolved: all checks of a review speak of this digest. */
export interface ResolvedImage {
  readonly reference: ImageReference;
  /** The digest written in the reference, or the one that the tag points at now. */
  readonly digest: string;
  /** The manifest or index of that digest. */
  readonly manifest: Manifest;
}

/** What every check is given. */
export interface VerifyContext {
  readonly registry: Registry;
  /** Ends when the review has no time left. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
