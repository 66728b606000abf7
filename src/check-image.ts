import { decideReview } from './decide/decide-review.ts';
import type { ReviewLimits } from './decide/decide-review.ts';
import type { Decision } from './decide/decision.ts';
import { messageOf } from './errors.ts';
import { parseImageReview } from './parse/image-review.ts';
import type { ImageReview } from './parse/image-review.ts';
import { recordDecision } from './record/decision-log.ts';
import type { Log } from './record/logger.ts';
import { respond } from './respond/image-review-response.ts';
import type { ImageReviewResponse } from './respond/image-review-response.ts';
import type { Policy } from './rules/policy.ts';

/** What the way of a review needs from around it. */
export interface CheckImageDeps {
  /** The policy in force: asked once for each review. */
  readonly policy: () => Policy;
  readonly limits: ReviewLimits;
  readonly log: Log;
  /** A new decision id. */
  readonly newId: () => string;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

/** Answers the body of one review, asked for by a client. */
export type CheckImage = (body: Uint8Array, client: string) => ImageReviewResponse;

/**
 * The way of one review: parse, decide, respond, record.
 *
 * The returned function throws `review-invalid` when the body is no ImageReview, and nothing else:
 * once it is one, every failure of ours is a denial, because any other status than 200 would hand
 * the decision to the plugin's `defaultAllow`.
 */
export function createCheckImage(deps: CheckImageDeps): CheckImage {
  return (body, client) => {
    const started = deps.now();
    const review = parseImageReview(body);
    const id = deps.newId();
    const policy = deps.policy();
    const decision = decideOrDeny(review, policy, deps);
    const response = respond(review, decision, id, policy);
    recordDecision(deps.log, review, decision, {
      id,
      client,
      policy,
      durationMs: Math.round((deps.now() - started) * 1000) / 1000,
    });
    return response;
  };
}

function decideOrDeny(review: ImageReview, policy: Policy, deps: CheckImageDeps): Decision {
  try {
    return decideReview(review, policy, deps.limits);
  } catch (thrown) {
    deps.log.error('a review could not be decided', { error: messageOf(thrown) });
    const message = 'image-checker failed to decide, see its log';
    return {
      allowed: false,
      violations: [{ severity: 'absolute', image: undefined, message, rule: undefined }],
      breakGlass: undefined,
    };
  }
}
