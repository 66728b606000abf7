import type { Decision, Violation } from '../decide/decision.ts';
import { API_VERSION, KIND } from '../parse/image-review.ts';
import type { ImageReview } from '../parse/image-review.ts';
import { printable } from './escape.ts';
import { reasonFor } from './reason.ts';

/** imagepolicy.k8s.io/v1alpha1 ImageReview with its status, as kube-apiserver reads it. */
export interface ImageReviewResponse {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: unknown;
  readonly status: {
    readonly allowed: boolean;
    readonly reason?: string;
    readonly auditAnnotations: Readonly<Record<string, string>>;
  };
}

/** By what the decision was made. */
export interface PolicyName {
  readonly name: string;
  readonly hash: string;
}

/** In characters: audit annotations are for grep, the log line holds the rest. */
const MAX_ANNOTATION_LENGTH = 256;

/** Puts a decision into the answer to its review. */
export function respond(
  review: ImageReview,
  decision: Decision,
  id: string,
  policy: PolicyName,
): ImageReviewResponse {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    spec: review.spec,
    status: {
      allowed: decision.allowed,
      ...(decision.allowed ? {} : { reason: reasonFor(decision, id) }),
      auditAnnotations: auditAnnotations(decision, id, policy),
    },
  };
}

/** kube-apiserver puts `imagepolicywebhook.image-policy.k8s.io/` before each key. */
function auditAnnotations(
  decision: Decision,
  id: string,
  policy: PolicyName,
): Record<string, string> {
  const { violations, breakGlass } = decision;
  const annotations = {
    'decision-id': id,
    policy: `${policy.name}@${policy.hash}`,
    'violated-rules': ruleNames(violations, 'enforce'),
    'warned-rules': ruleNames(violations, 'warn'),
    'break-glass': breakGlass?.accepted === true ? breakGlass.ticket : '',
  };
  return Object.fromEntries(
    Object.entries(annotations)
      .filter(([, value]) => value !== '')
      .map(([key, value]) => [key, printable(value, MAX_ANNOTATION_LENGTH)]),
  );
}

/** The names of the violated rules of one mode, each once. */
export function ruleNames(violations: readonly Violation[], mode: Violation['severity']): string {
  const names = violations
    .filter((violation) => violation.severity === mode)
    .map((violation) => violation.rule?.name)
    .filter((name) => name !== undefined);
  return [...new Set(names)].join(',');
}
