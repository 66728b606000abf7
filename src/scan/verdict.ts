import { denies } from '../decide/decision.ts';
import type { BreakGlassUse, Violation } from '../decide/decision.ts';

/**
 * What becomes of one image.
 *
 * `warned`: it may run, and something is said about it. A violated `audit` rule is only logged, so
 * its image is `allowed`; so is an image that break-glass lets through.
 */
export type Verdict = 'allowed' | 'warned' | 'denied';

/** The verdict over one image, given what was found against it. */
export function verdictOf(
  violations: readonly Violation[],
  breakGlass: BreakGlassUse | undefined,
): Verdict {
  if (violations.some((violation) => denies(violation, breakGlass))) return 'denied';
  return violations.some(({ severity }) => severity === 'warn') ? 'warned' : 'allowed';
}
