import type { Decision, RegistryCheck, Violation } from '../decide/decision.ts';
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
  readonly label: string;
}

/** In characters: audit annotations are for grep, the log line holds the rest. */
const MAX_ANNOTATION_LENGTH = 256;
/** In characters: a DNS subdomain, "@" and the 12 digits of the hash. */
const MAX_POLICY_LENGTH = 266;
/** In characters: an image and its digest are long, and one that is cut off says nothing. */
const MAX_DIGESTS_LENGTH = 1024;

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
  const { violations, checks, breakGlass } = decision;
  const annotations: Record<string, string> = {
    'decision-id': id,
    policy: printable(policy.label, MAX_POLICY_LENGTH),
  };
  const put = (key: string, value: string): void => {
    if (value !== '') annotations[key] = printable(value, MAX_ANNOTATION_LENGTH);
  };
  if (violations.length > 0) {
    put('violated-rules', ruleNames(violations, 'enforce'));
    put('warned-rules', ruleNames(violations, 'warn'));
  }
  if (breakGlass?.accepted === true) put('break-glass', breakGlass.ticket);
  if (checks.length === 0) return annotations;
  put('unchecked-rules', uncheckedRules(checks));
  const digests = judgedDigests(checks);
  return digests === '' ? annotations : { ...annotations, 'judged-digests': digests };
}

/** The rules of whose questions to a registry some have no answer, each once. */
function uncheckedRules(checks: readonly RegistryCheck[]): string {
  const open = checks.filter(({ outcome }) => outcome === 'unchecked' || outcome === 'unasked');
  return [...new Set(open.map(({ rule }) => rule))].join(',');
}

/**
 * `image@digest` for each tag that was resolved: the node resolves it again when it pulls, and this
 * is how to tell whether it got the same. As many as fit.
 */
function judgedDigests(checks: readonly RegistryCheck[]): string {
  const judged = checks.flatMap(({ image, digest }) =>
    digest === undefined || image.includes('@') ? [] : [`${image}@${digest}`],
  );
  const all = [...new Set(judged)];
  const kept = all.filter(
    (_one, at) =>
      all.slice(0, at + 1).join(',').length <= MAX_DIGESTS_LENGTH - ',and 64 more'.length,
  );
  const rest = all.length - kept.length;
  return [...kept, ...(rest > 0 ? [`and ${rest} more`] : [])].join(',');
}

/** The names of the violated rules of one mode, each once. */
export function ruleNames(violations: readonly Violation[], mode: Violation['severity']): string {
  const names = violations
    .filter((violation) => violation.severity === mode)
    .map((violation) => violation.rule?.name)
    .filter((name) => name !== undefined);
  return [...new Set(names)].join(',');
}
