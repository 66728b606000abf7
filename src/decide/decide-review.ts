import { isLocalImageId, parseImageReference } from '../parse/image-reference.ts';
import type { ImageReview } from '../parse/image-review.ts';
import type { Policy } from '../rules/policy.ts';
import { useBreakGlass } from './break-glass.ts';
import { findViolations } from './conditions.ts';
import type { ReviewedImage } from './conditions.ts';
import { denies } from './decision.ts';
import type { Decision, Violation } from './decision.ts';
import { covers, isExempt } from './match.ts';

/** How much of a review is looked at. */
export interface ReviewLimits {
  /** Containers in one review. */
  readonly containers: number;
}

/** No registry and no path that a node can pull is longer; in UTF-16 units. */
const MAX_IMAGE_LENGTH = 4096;

/**
 * Holds a review against a policy. Pure. Every violation is reported, and allowed is what is left
 * when none denies.
 */
export function decideReview(review: ImageReview, policy: Policy, limits: ReviewLimits): Decision {
  const breakGlass = useBreakGlass(policy.breakGlass, review);
  const violations = violationsOf(review, policy, limits);
  const allowed = !violations.some((violation) => denies(violation, breakGlass));
  return { allowed, violations, breakGlass };
}

function violationsOf(review: ImageReview, policy: Policy, limits: ReviewLimits): Violation[] {
  const { images } = review;
  if (images.length > limits.containers) {
    const message = `expected at most ${limits.containers} containers, got ${images.length}`;
    return [{ severity: 'absolute', image: undefined, message, rule: undefined }];
  }
  if (images.length === 0) return emptyReview(policy);
  return [...new Set(images)].flatMap((image) => judgeImage(image, review.namespace, policy));
}

function emptyReview(policy: Policy): Violation[] {
  if (policy.emptyReviews === 'allow') return [];
  const message = 'the review names no containers (emptyReviews: deny)';
  return [{ severity: 'enforce', image: undefined, message, rule: undefined }];
}

function judgeImage(written: string, namespace: string, policy: Policy): Violation[] {
  const image = readImage(written);
  if (typeof image === 'string') {
    return [{ severity: 'absolute', image: written, message: image, rule: undefined }];
  }
  return violationsOfRules(image, namespace, policy);
}

/** The image, or why nothing may override that it is denied. */
function readImage(written: string): ReviewedImage | string {
  if (written === '') return 'expected an image, got an empty string';
  if (written.length > MAX_IMAGE_LENGTH) {
    return `expected at most ${MAX_IMAGE_LENGTH} characters, got ${written.length}`;
  }
  if (isLocalImageId(written)) {
    return 'a node may take this for the id of an image it already has, write registry/name@sha256:...';
  }
  const parsed = parseImageReference(written);
  if (!parsed.ok) return parsed.error;
  if (parsed.reference.registry === '') return 'the part before the first / is no valid registry';
  return { written, reference: parsed.reference };
}

function violationsOfRules(image: ReviewedImage, namespace: string, policy: Policy): Violation[] {
  const { written, reference } = image;
  const covering = policy
    .candidates(reference, namespace)
    .filter((rule) => covers(rule, reference, namespace));
  if (covering.length === 0) return uncovered(written, policy);
  return covering
    .filter((rule) => !isExempt(rule, reference, namespace))
    .flatMap((rule) =>
      findViolations(rule, image).map((message) => ({
        severity: rule.mode,
        image: written,
        message,
        rule: { name: rule.name, message: rule.message },
      })),
    );
}

function uncovered(image: string, policy: Policy): Violation[] {
  if (policy.unmatchedImages === 'allow') return [];
  const message = 'no rule covers this image (unmatchedImages: deny)';
  return [{ severity: 'enforce', image, message, rule: undefined }];
}
