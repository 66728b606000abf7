import type { Decision, RegistryCheck, Violation } from '../decide/decision.ts';
import type { ImageReview } from '../parse/image-review.ts';
import type { Log, LogFields } from './logger.ts';

/** What is known of a review beside its decision. */
export interface ReviewFacts {
  readonly id: string;
  /** The name by which the client certificate was allowed. */
  readonly client: string;
  readonly policy: { readonly name: string; readonly hash: string };
  readonly durationMs: number;
}

/** A log line is cut here: in images, and in characters of each foreign text. */
const MAX_LISTED = 20;
const MAX_TEXT_LENGTH = 300;

/** Writes the one line of a review. */
export type DecisionLog = (review: ImageReview, decision: Decision, facts: ReviewFacts) => void;

/**
 * @param sampleAllowed of the reviews that are allowed without a word, one in so many is written;
 * everything else always is
 */
export function createDecisionLog(log: Log, sampleAllowed: number): DecisionLog {
  let routine = 0;
  const sampled = sampleAllowed === 1 ? {} : { sampledOneIn: sampleAllowed };
  return (review, decision, facts) => {
    if (!isRoutine(decision)) {
      if (log.writes('warn')) log.often('warn', MESSAGE, fieldsOf(review, decision, facts));
      return;
    }
    if (!log.writes('info') || routine++ % sampleAllowed !== 0) return;
    log.often('info', MESSAGE, { ...fieldsOf(review, decision, facts), ...sampled });
  };
}

const MESSAGE = 'image review decided';

function fieldsOf(review: ImageReview, decision: Decision, facts: ReviewFacts): LogFields {
  const { images, namespace } = review;
  const { violations, checks, breakGlass } = decision;
  return {
    decisionId: facts.id,
    verdict: decision.allowed ? 'allowed' : 'denied',
    namespace: cut(namespace),
    images: images.slice(0, MAX_LISTED).map(cut),
    ...more('moreImages', images.length),
    violations: violations.slice(0, MAX_LISTED).map(describe),
    ...more('moreViolations', violations.length),
    ...(checks.length === 0
      ? {}
      : { registryChecks: checks.slice(0, MAX_LISTED).map(describeCheck) }),
    ...more('moreRegistryChecks', checks.length),
    ...(breakGlass === undefined
      ? {}
      : { breakGlass: { ...breakGlass, ticket: cut(breakGlass.ticket) } }),
    policy: `${facts.policy.name}@${facts.policy.hash}`,
    client: facts.client,
    durationMs: facts.durationMs,
  };
}

/** Break-glass never is, even where nothing was violated; nor is what passes without being checked. */
function isRoutine({ allowed, violations, checks, breakGlass }: Decision): boolean {
  const excused = checks.some((check) => check.excused !== undefined);
  return allowed && violations.length === 0 && !excused && breakGlass === undefined;
}

function describeCheck({ image, digest, why, ...rest }: RegistryCheck): object {
  return { ...rest, image: cut(image), digest, why: why === undefined ? why : cut(why) };
}

function describe({ severity, image, message, rule }: Violation): object {
  return {
    severity,
    ...(rule === undefined ? {} : { rule: rule.name }),
    ...(image === undefined ? {} : { image: cut(image) }),
    message: cut(message),
  };
}

function more(key: string, length: number): object {
  return length > MAX_LISTED ? { [key]: length - MAX_LISTED } : {};
}

function cut(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}...` : text;
}
