import type { ImageReview } from '../parse/image-review.ts';
import type { Policy } from '../rules/policy.ts';
import { useBreakGlass } from './break-glass.ts';
import { denies } from './decision.ts';
import type { BreakGlassUse, Decision, RegistryCheck, Violation } from './decision.ts';
import type { OpenCheck } from './inspection.ts';
import {
  foundViolations,
  judgeImage,
  openChecksOf,
  unaskedViolation,
  violationOf,
} from './judge-image.ts';

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
 * All annotations of a pod have 256 KiB at most, and a key that the plugin sends holds 20 characters
 * of its own, so that fewer than this fit.
 */
const MAX_ANNOTATIONS = 12_000;

/**
 * Whoever creates pods decides how many images there are, and asking about an image costs several
 * requests: about more than this, no registry is asked.
 */
const MAX_ASKED_IMAGES = 64;

/** What is to be said of a review before any registry is asked. */
export interface Examination {
  readonly violations: readonly Violation[];
  /** What rules ask of registries. */
  readonly open: readonly OpenCheck[];
  readonly breakGlass: BreakGlassUse | undefined;
}

/** Holds a review against a policy, as far as that goes without a registry. Pure. */
export function examineReview(
  review: ImageReview,
  policy: Policy,
  limits: ReviewLimits,
): Examination {
  const breakGlass = useBreakGlass(policy.breakGlass, review);
  const open: OpenCheck[] = [];
  const violations = findAll(review, policy, { limits, breakGlass, open });
  return open.length === 0
    ? { violations, open, breakGlass }
    : withinLimit({ violations, open, breakGlass });
}

/**
 * Decides a review without asking a registry: where a rule needs one it is violated. Pure. Every
 * violation is reported, and allowed is what is left when none denies.
 */
export function decideReview(review: ImageReview, policy: Policy, limits: ReviewLimits): Decision {
  return decideAlone(examineReview(review, policy, limits));
}

/** Decides an examined review without a registry's answers. */
export function decideAlone(examination: Examination): Decision {
  const unmet = needsRegistry(examination) ? examination.open.map(unaskedViolation) : [];
  return conclude(examination, unmet, examination.open.map(unaskedCheck));
}

/**
 * Whether the verdict depends on a registry. Where it does not, for the review is denied already or
 * let through by break-glass, none is asked: whoever creates pods could else have us connect to any
 * host that a rule forbids.
 */
export function needsRegistry({ open, violations, breakGlass }: Examination): boolean {
  if (open.length === 0 || breakGlass?.accepted === true) return false;
  return !violations.some((each) => denies(each, breakGlass));
}

/** The decision over an examined review, given what its open checks came to. */
export function conclude(
  { violations: found, breakGlass }: Examination,
  unmet: readonly Violation[],
  checks: readonly RegistryCheck[],
): Decision {
  const violations = unmet.length === 0 ? found : [...found, ...unmet];
  const allowed = !violations.some((violation) => denies(violation, breakGlass));
  return { allowed, violations, checks, breakGlass };
}

function unaskedCheck({ reference, rule }: OpenCheck): RegistryCheck {
  return {
    image: reference.normalized,
    rule: rule.name,
    outcome: 'unasked',
    digest: reference.digest,
    why: undefined,
    excused: undefined,
  };
}

function withinLimit(examination: Examination): Examination {
  const asked = new Set(
    [...new Set(examination.open.map(({ image }) => image))].slice(0, MAX_ASKED_IMAGES),
  );
  const message = `expected at most ${MAX_ASKED_IMAGES} images to ask registries about in one review`;
  const beyond = examination.open.filter(({ image }) => !asked.has(image));
  return {
    ...examination,
    open: examination.open.filter(({ image }) => asked.has(image)),
    violations: [...examination.violations, ...beyond.map((check) => violationOf(check, message))],
  };
}

function findAll(
  review: ImageReview,
  policy: Policy,
  { limits, breakGlass, open }: Finding,
): readonly Violation[] {
  const { images, namespace } = review;
  const tooLarge = sizeProblem(review, limits);
  if (tooLarge !== undefined) {
    return [{ severity: 'absolute', image: undefined, message: tooLarge, rule: undefined }];
  }
  if (images.length === 0) return emptyReview(policy);
  const violations: Violation[] = [];
  const distinct = new Set(images);
  let rest = distinct.size;
  for (const image of distinct) {
    rest--;
    const judgement = judgeImage(image, namespace, policy);
    violations.push(...foundViolations(judgement, policy));
    open.push(...openChecksOf(judgement));
    if (violations.length < MAX_VIOLATIONS || rest === 0) continue;
    if (violations.some((each) => denies(each, breakGlass))) return withRest(violations, rest);
  }
  return violations;
}

/** What is too large to come from a pod that kube-apiserver would take. */
function sizeProblem(
  { images, annotations }: ReviewSize,
  limits: ReviewLimits,
): string | undefined {
  if (images.length > limits.containers) {
    return `expected at most ${limits.containers} containers, got ${images.length}`;
  }
  if (annotations.size > MAX_ANNOTATIONS) {
    return `expected at most ${MAX_ANNOTATIONS} annotations, got ${annotations.size}`;
  }
  return undefined;
}

type ReviewSize = Pick<ImageReview, 'images' | 'annotations'>;

interface Finding {
  readonly limits: ReviewLimits;
  readonly breakGlass: BreakGlassUse | undefined;
  /** Filled. */
  readonly open: OpenCheck[];
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
