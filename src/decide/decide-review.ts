import type { ImageReview } from '../parse/image-review.ts';
import type { Policy } from '../rules/policy.ts';
import { useBreakGlass } from './break-glass.ts';
import { denies } from './decision.ts';
import type { BreakGlassUse, Decision, Violation } from './decision.ts';
import { judgeImage, violationsOf } from './judge-image.ts';

/** How much of a review is looked at. */
export interface ReviewLimits {
  /** Containers in one review. */
  readonly containers: number;
}

/**
 * A review that is denied is not looked at any further beyond so many violations: whoever creates
 * pods decides how many there are, and every other review waits meanwhile.
 */
const MAX_VIOLATIONS = 500;

/**
 * Holds a review against a policy. Pure. Every violation is reported, and allowed is what is left
 * when none denies.
 */
export function decideReview(review: ImageReview, policy: Policy, limits: ReviewLimits): Decision {
  const breakGlass = useBreakGlass(policy.breakGlass, review);
  const violations = findAll(review, policy, { limits, breakGlass });
  const allowed = !violations.some((violation) => denies(violation, breakGlass));
  return { allowed, violations, breakGlass };
}

function findAll(
  review: ImageReview,
  policy: Policy,
  { limits, breakGlass }: { limits: ReviewLimits; breakGlass: BreakGlassUse | undefined },
): readonly Violation[] {
  const { images, namespace } = review;
  if (images.length > limits.containers) {
    const message = `expected at most ${limits.containers} containers, got ${images.length}`;
    return [{ severity: 'absolute', image: undefined, message, rule: undefined }];
  }
  if (images.length === 0) return emptyReview(policy);
  const violations: Violation[] = [];
  const rest = new Set(images);
  for (const image of rest) {
    rest.delete(image);
    violations.push(...violationsOf(judgeImage(image, namespace, policy), policy));
    if (violations.length < MAX_VIOLATIONS || rest.size === 0) continue;
    if (violations.some((each) => denies(each, breakGlass))) return withRest(violations, rest.size);
  }
  return violations;
}

/** Nothing can change the verdict any more, and whoever has so much to mend starts anew anyway. */
function withRest(violations: readonly Violation[], count: number): readonly Violation[] {
  const message = `${count} more images were not looked at`;
  return [...violations, { severity: 'enforce', image: undefined, message, rule: undefined }];
}

function emptyReview(policy: Policy): readonly Violation[] {
  if (policy.emptyReviews === 'allow') return [];
  const message = 'the review names no containers (emptyReviews: deny)';
  return [{ severity: 'enforce', image: undefined, message, rule: undefined }];
}
