import { decideReview } from '../decide/decide-review.ts';
import type { Violation } from '../decide/decision.ts';
import type { Policy } from '../rules/policy.ts';
import { verdictOf } from '../scan/verdict.ts';
import type { LoadedCase } from './load.ts';

type Expected = LoadedCase['expect'];

/** What came of one case. */
export interface CaseResult {
  readonly name: string;
  readonly passed: boolean;
  readonly expected: Expected;
  readonly got: Expected;
  /** Rules that should have been violated and were not. */
  readonly missing: readonly string[];
  readonly violations: readonly Violation[];
}

/** A service's limit on containers is its own. */
const LIMITS = { containers: Number.MAX_SAFE_INTEGER };

/** Decides a case's review as the service would, and compares. */
export function runCase({ name, review, expect, rules }: LoadedCase, policy: Policy): CaseResult {
  const { violations, breakGlass } = decideReview(review, policy, LIMITS);
  const verdict = verdictOf(violations, breakGlass);
  const got = expect === 'allowed' && verdict === 'warned' ? expect : verdict;
  const violated = new Set(violations.map(({ rule }) => rule?.name));
  const missing = rules.filter((rule) => !violated.has(rule));
  return {
    name,
    passed: got === expect && missing.length === 0,
    expected: expect,
    got,
    missing,
    violations,
  };
}
