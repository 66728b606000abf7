import type { ServiceAnswer } from '../ask/answer.ts';
import type { Question } from '../ask/review.ts';
import { decideReview } from '../decide/decide-review.ts';
import type { Decision } from '../decide/decision.ts';
import { judgeImage, violationsOf } from '../decide/judge-image.ts';
import type { ImageJudgement, RuleResult } from '../decide/judge-image.ts';
import type { Policy } from '../rules/policy.ts';
import { reasonFor } from '../respond/reason.ts';
import { verdictOf } from '../scan/verdict.ts';
import type { Verdict } from '../scan/verdict.ts';

/** What either way of asking said; at least one is there. */
export interface CheckResult {
  readonly question: Question;
  readonly offline: OfflineCheck | undefined;
  readonly server: (ServiceAnswer & { readonly url: string }) | undefined;
}

/** What a rules file says about a question. */
export interface OfflineCheck {
  readonly policy: Policy;
  readonly decision: Decision;
  readonly images: readonly CheckedImage[];
}

export interface CheckedImage {
  readonly judgement: ImageJudgement;
  /** Over this image alone: one that is denied denies the review. */
  readonly verdict: Verdict;
}

/** The command line has no service's limits, and room for fewer images than this. */
const LIMITS = { containers: Number.MAX_SAFE_INTEGER };

/** Decides as the service would, and keeps why. */
export function checkOffline(question: Question, policy: Policy): OfflineCheck {
  const decision = decideReview({ ...question, spec: undefined }, policy, LIMITS);
  const images = question.images.map((image) => {
    const judgement = judgeImage(image, question.namespace, policy);
    const verdict = verdictOf(violationsOf(judgement, policy), decision.breakGlass);
    return { judgement, verdict };
  });
  return { policy, decision, images };
}

export function isDenied({ offline, server }: CheckResult): boolean {
  return offline?.decision.allowed === false || server?.allowed === false;
}

/** Whether both ways of asking came to the same; undefined when there was one. */
export function agreementOf({ offline, server }: CheckResult): boolean | undefined {
  if (offline === undefined || server === undefined) return undefined;
  return offline.decision.allowed === server.allowed;
}

/** The lines that the service would answer with, but for the decision id that only it can give. */
export function reasonOf(decision: Decision): readonly string[] {
  return decision.allowed ? [] : reasonFor(decision, '').split('\n').slice(0, -1);
}

/** In an order, which the rules themselves have none of. */
export function byName(covering: readonly RuleResult[]): readonly RuleResult[] {
  return covering.toSorted((a, b) => (a.rule.name < b.rule.name ? -1 : 1));
}
