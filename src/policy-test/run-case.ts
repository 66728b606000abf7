import { decideReview } from '../decide/decide-review.ts';
import type { Violation } from '../decide/decision.ts';
import type { Policy } from '../rules/policy.ts';
import type { LoadedCase } from './load.ts';

/** What came of one case. */
export interface CaseResult {
  readonly name: string;
  readonly passed: boolean;
  readonly expected: 'allowed' | 'denied';
  readonly got: 'allowed' | 'denied';
  /** Rules that should have been violated and were not. */
  readonly missing: readonly string[];
  readonly violations: readonly Violation[];
}

/** A service's limit on containers is its own. */
const LIMITS = { containers: Number.MAX_SAFE_INTEGER };

/** Decides a case's review as the service would, and compares. */
export function runCase({ name, review, expect, rules }: LoadedCase, policy: Policy): CaseResult {
  const { allowed, violations } = decideReview(review, policy, LIMITS);
  const got = allowed ? 'allowed' : 'denied';
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
