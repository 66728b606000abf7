import type { Glob } from '../parse/glob.ts';
import { foldRegistry } from '../parse/image-reference.ts';
import type { ImageReference } from '../parse/image-reference.ts';
import type { Prohibition, Requirement, Rule } from '../rules/policy.ts';
import { takesImage, takesName } from './match.ts';

/** An image of a review that has been read. */
export interface ReviewedImage {
  readonly written: string;
  readonly reference: ImageReference;
}

/** What of a rule an image violates: one message for each key of `require` and `forbid`. */
export function findViolations(rule: Rule, image: ReviewedImage): string[] {
  const unmet = unmetRequirements(rule.require, image);
  return rule.forbid === undefined ? unmet : [...unmet, ...prohibitionsHit(rule.forbid, image)];
}

function unmetRequirements(require: Requirement, image: ReviewedImage): string[] {
  const { reference } = image;
  const unmet: string[] = [];
  if (require.registries?.has(reference.registry) === false) {
    unmet.push(`registry ${reference.registry} is none of ${list(require.registries.sources)}`);
  }
  if (require.images !== undefined && !takesImage(require.images, reference, 'as-proof')) {
    unmet.push(`${reference.normalized} matches none of ${list(require.images.sources)}`);
  }
  if (require.tags !== undefined) unmet.push(...unmetTags(require.tags, reference));
  if (require.digest && reference.digest === undefined) {
    unmet.push('expected a digest (name@sha256:...), got none');
  }
  if (require.explicitRegistry && !reference.explicitRegistry) {
    unmet.push(`the registry is not written out, write docker.io/${image.written}`);
  }
  return unmet;
}

/** The node pulls by digest where there is one: the tag beside it fulfils nothing. */
function unmetTags(tags: readonly Glob[], reference: ImageReference): string[] {
  const expected = `expected a tag that matches ${list(tags.map(({ source }) => source))}`;
  if (reference.digest !== undefined)
    return [`${expected}, got a digest, beside which no tag counts`];
  if (takesName(tags, reference.tag ?? '')) return [];
  return [`${expected}, got ${describeTag(reference)}`];
}

function prohibitionsHit(forbid: Prohibition, image: ReviewedImage): string[] {
  const reference = foldRegistry(image.reference);
  const hit: string[] = [];
  if (forbid.registries?.has(reference.registry) === true) {
    hit.push(`registry ${image.reference.registry} is forbidden`);
  }
  if (forbid.images !== undefined && takesImage(forbid.images, reference, 'as-written')) {
    hit.push(`${image.reference.normalized} is forbidden`);
  }
  const { tag } = reference;
  if (forbid.tags !== undefined && tag !== undefined && takesName(forbid.tags, tag)) {
    hit.push(`${describeTag(reference)} is forbidden`);
  }
  return hit;
}

function describeTag(reference: ImageReference): string {
  const tag = `tag ${reference.tag ?? ''}`;
  return reference.explicitTag ? tag : `${tag} (implied, no tag is written)`;
}

/** Beyond this the reason would be a list and no longer a sentence. */
const MAX_LISTED = 5;

function list(sources: readonly string[]): string {
  const shown = sources.slice(0, MAX_LISTED).join(', ');
  const rest = sources.length - MAX_LISTED;
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
