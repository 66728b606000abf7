import type { Glob } from '../parse/glob.ts';
import type { TagReading } from '../parse/image-pattern.ts';
import type { ImageReference } from '../parse/image-reference.ts';
import type { ImageSet, Rule, Selector } from '../rules/policy.ts';

/**
 * Whether a rule has something to ask of an image: every key of `match` takes it.
 *
 * @param folded the reference with its host in lower case
 */
export function covers(rule: Rule, folded: ImageReference, namespace: string): boolean {
  return takes(rule.match, folded, namespace, 'as-written');
}

/**
 * Whether the rule keeps the image from being one that no rule covers. That may allow, so hosts are
 * compared exactly, and a tag beside a digest earns nothing.
 */
export function coversExactly(rule: Rule, reference: ImageReference, namespace: string): boolean {
  return takes(rule.exactMatch, reference, namespace, 'as-proof');
}

/**
 * Whether every key of some `except` entry takes the image. An exemption allows, so a tag beside a
 * digest, which the node does not pull by, cannot earn one.
 */
export function isExempt(rule: Rule, reference: ImageReference, namespace: string): boolean {
  return rule.except.some((entry) => takes(entry, reference, namespace, 'as-proof'));
}

function takes(
  selector: Selector,
  reference: ImageReference,
  namespace: string,
  reading: TagReading,
): boolean {
  const { namespaces, images } = selector;
  if (namespaces !== undefined && !takesName(namespaces, namespace)) return false;
  return images === undefined || takesImage(images, reference, reading);
}

/** Whether some glob takes a name. */
export function takesName(globs: readonly Glob[], name: string): boolean {
  return globs.some((glob) => glob.matches(name));
}

/** Whether some pattern takes an image. */
export function takesImage(
  images: ImageSet,
  reference: ImageReference,
  reading: TagReading,
): boolean {
  return images.index.some(reference, reading, () => true);
}
