import type { Decision, RegistryCheck, Violation } from '../decide/decision.ts';
import type { ImageReview } from '../parse/image-review.ts';
import type { Log, OftenFields } from './logger.ts';

/** What is known of a review beside its decision. */
export interface ReviewFacts {
  readonly id: string;
  /** The name by which the client certificate was allowed. */
  readonly client: string;
  readonly policy: { readonly label: string };
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
  const sampledOneIn = sampleAllowed === 1 ? undefined : sampleAllowed;
  return (review, decision, facts) => {
    if (!isRoutine(decision)) {
      if (log.writes('warn')) log.often('warn', MESSAGE, fieldsOf(review, decision, facts));
      return;
    }
    if (!log.writes('info') || routine++ % sampleAllowed !== 0) return;
    log.often('info', MESSAGE, fieldsOf(review, decision, facts, sampledOneIn));
  };
}

const MESSAGE = 'image review decided';

function fieldsOf(
  review: ImageReview,
  decision: Decision,
  facts: ReviewFacts,
  sampledOneIn?: number,
): OftenFields {
  const { images, namespace } = review;
  const { violations, checks, breakGlass } = decision;
  // What is undefined is left out of the line.
  return {
    decisionId: facts.id,
    verdict: decision.allowed ? 'allowed' : 'denied',
    namespace: cut(namespace),
    images: listed(images, cut),
    moreImages: beyond(images),
    violations: listed(violations, describe),
    moreViolations: beyond(violations),
    registryChecks: checks.length === 0 ? undefined : listed(checks, describeCheck),
    moreRegistryChecks: beyond(checks),
    breakGlass: breakGlass && { ...breakGlass, ticket: cut(breakGlass.ticket) },
    policy: facts.policy.label,
    client: facts.client,
    durationMs: facts.durationMs,
    sampledOneIn,
  };
}

/** Break-glass never is, even where nothing was violated; nor is what passes without being checked. */
function isRoutine({ allowed, violations, checks, breakGlass }: Decision): boolean {
  const excused = checks.some((check) => check.excused !== undefined);
  return allowed && violations.length === 0 && !excused && breakGlass === undefined;
}

/** Spelled out: what is left of an object when some of it is taken away is slow to write. */
function describeCheck(check: RegistryCheck): object {
  const { rule, outcome, excused, image, digest, why } = check;
  return { rule, outcome, excused, image: cut(image), digest, why: why && cut(why) };
}

/** `message` is what is wrong, `ruleMessage` what the rule tells the user. */
function describe({ severity, image, message, rule }: Violation): object {
  return {
    severity,
    ...(rule === undefined ? {} : { rule: rule.name }),
    ...(image === undefined ? {} : { image: cut(image) }),
    message: cut(message),
    ...(rule?.message === undefined ? {} : { ruleMessage: cut(rule.message) }),
  };
}

function listed<T>(all: readonly T[], show: (one: T) => unknown): unknown[] {
  return (all.length > MAX_LISTED ? all.slice(0, MAX_LISTED) : all).map((one) => show(one));
}

function beyond(all: readonly unknown[]): number | undefined {
  return all.length > MAX_LISTED ? all.length - MAX_LISTED : undefined;
}

function cut(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}...` : text;
}
