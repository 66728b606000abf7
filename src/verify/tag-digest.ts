import type { ResolvedImage, VerifyContext } from './resolved-image.ts';

/**
 * Whether the tag of `tag@digest` points at that digest now. A digest without a tag is refused:
 * what is met by leaving the tag off is no requirement. A tag without a digest is met, since the
 * digest judged is the one it points at. Messages of refusal, none when it does.
 *
 * @throws {ImageCheckerError} `registry-unavailable`, `registry-corrupt`
 */
export async function checkTagDigest(
  image: ResolvedImage,
  context: VerifyContext,
): Promise<readonly string[]> {
  const { tag, digest } = image.reference;
  if (digest === undefined) return [];
  if (tag === undefined)
    return ['expected a tag beside the digest (name:tag@sha256:...), got none'];
  const manifest = await context.registry.manifest(image.reference, tag, context.signal);
  if (manifest === undefined) {
    return [`expected tag ${tag} to point at ${digest}, got no such tag in the registry`];
  }
  // The bytes, as the tag's manifest need not have been hashed with the algorithm of the digest.
  if (Buffer.compare(manifest.bytes, image.manifest.bytes) === 0) return [];
  return [`expected tag ${tag} to point at ${digest}, got ${manifest.digest}`];
}
