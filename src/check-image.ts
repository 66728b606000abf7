import { examineReview } from './decide/decide-review.ts';
import type { ReviewLimits } from './decide/decide-review.ts';
import type { Decision } from './decide/decision.ts';
import type { Inspector } from './decide/inspection.ts';
import { settleReview } from './decide/settle-review.ts';
import { messageOf } from './errors.ts';
import { parseImageReview } from './parse/image-review.ts';
import type { ImageReview } from './parse/image-review.ts';
import type { DecisionLog } from './record/decision-log.ts';
import type { Log } from './record/logger.ts';
import type { ReviewMetrics } from './record/review-metrics.ts';
import { respond } from './respond/image-review-response.ts';
import type { ImageReviewResponse } from './respond/image-review-response.ts';
import type { Policy } from './rules/policy.ts';

/** What the way of a review needs from around it. */
export interface CheckImageDeps {
  /** The policy in force: asked once for each review. */
  readonly policy: () => Policy;
  readonly limits: ReviewLimits;
  /** Asks registries what rules want to know of them. */
  readonly inspector: Inspector;
  /** Keeps what was decided. */
  readonly record: DecisionLog;
  readonly log: Log;
  readonly metrics: ReviewMetrics;
  /** A new decision id. */
  readonly newId: () => string;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

/** Answers the body of one review, asked for by a client; a promise only where a registry is asked. */
export type CheckImage = (
  body: Uint8Array,
  client: string,
) => ImageReviewResponse | Promise<ImageReviewResponse>;

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
    const finish = (decided: Decision): ImageReviewResponse => {
      const [decision, response] = respondOrDeny(review, decided, { id, policy }, deps);
      const durationMs = Math.round((deps.now() - started) * 1000) / 1000;
      orForget(() => {
        deps.metrics.decided(decision, durationMs);
      });
      orForget(() => {
        deps.record(review, decision, { id, client, policy, durationMs });
      });
      return response;
    };
    const decision = decideOrDeny(review, { id, policy }, deps);
    return decision instanceof Promise ? decision.then(finish) : finish(decision);
  };
}

interface Naming {
  readonly id: string;
  readonly policy: Policy;
}

/** A promise only where a registry has to be asked; it does not reject. */
function decideOrDeny(
  review: ImageReview,
  { id, policy }: Naming,
  deps: CheckImageDeps,
): Decision | Promise<Decision> {
  const { limits, inspector } = deps;
  const deny = (thrown: unknown): Decision => {
    recordFailure(deps, id, thrown);
    return UNDECIDED;
  };
  try {
    const decision = settleReview(examineReview(review, policy, limits), inspector);
    return decision instanceof Promise ? decision.catch(deny) : decision;
  } catch (thrown) {
    return deny(thrown);
  }
}

function respondOrDeny(
  review: ImageReview,
  decision: Decision,
  { id, policy }: Naming,
  deps: CheckImageDeps,
): [Decision, ImageReviewResponse] {
  try {
    return [decision, respond(review, decision, id, policy)];
  } catch (thrown) {
    recordFailure(deps, id, thrown);
    return [UNDECIDED, respond(review, UNDECIDED, id, policy)];
  }
}

function recordFailure(
  { log, metrics }: CheckImageDeps,
  decisionId: string,
  thrown: unknown,
): void {
  metrics.failed();
  log.error('a review could not be decided', { decisionId, error: messageOf(thrown) });
}

const UNDECIDED: Decision = {
  allowed: false,
  violations: [
    {
      severity: 'absolute',
      image: undefined,
      message: 'image-checker failed to decide, see its log',
      rule: undefined,
    },
  ],
  checks: [],
  breakGlass: undefined,
};

/** What cannot be recorded is no reason to take an answer back. */
function orForget(record: () => void): void {
  try {
    record();
  } catch {
    // Nothing is left to tell it to.
  }
}
