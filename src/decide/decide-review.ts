import type { ImageReview } from '../parse/image-review.ts';
import type { Policy } from '../rules/policy.ts';
import { useBreakGlass } from './break-glass.ts';
import { denies } from './decision.ts';
import type { Decision, Violation } from './decision.ts';
import { judgeImage, violationsOf } from './judge-image.ts';

/** How much of a review is looked at. */
export interface ReviewLimits {
  /** Containers in one review. */
  readonly containers: number;
}

/**
 * Holds a review against a policy. Pure. Every violation is reported, and allowed is what is left
 * when none denies.
 */
export function decideReview(review: ImageReview, policy: Policy, limits: ReviewLimits): Decision {
  const breakGlass = useBreakGlass(policy.breakGlass, review);
  const violations = findAll(review, policy, limits);
  const allowed = !violations.some((violation) => denies(violation, breakGlass));
  return { allowed, violations, breakGlass };
}

function findAll(review: ImageReview, policy: Policy, limits: ReviewLimits): readonly Violation[] {
  const { images, namespace } = review;
  if (images.length > limits.containers) {
    const message = `expected at most ${limits.containers} containers, got ${images.length}`;
    return [{ severity: 'absolute', image: undefined, message, rule: undefined }];
  }
  if (images.length === 0) return emptyReview(policy);
  return [...new Set(images)].flatMap((image) =>
    violationsOf(judgeImage(image, namespace, policy), policy),
  );
}

function emptyReview(policy: Policy): readonly Violation[] {
  if (policy.emptyReviews === 'allow') return [];
  const message = 'the review names no containers (emptyReviews: deny)';
  return [{ severity: 'enforce', image: undefined, message, rule: undefined }];
}
