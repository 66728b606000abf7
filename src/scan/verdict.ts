import { denies } from '../decide/decision.ts';
import type { BreakGlassUse, Violation } from '../decide/decision.ts';

/**
 * What becomes of one image.
 *
 * `warned`: it may run, and something is said about it. A violated `audit` rule is only logged, so
 * its image is `allowed`; so is an image that break-glass lets through. `unknown`: it would pass but
 * for what a registry has to say, and nobody asked it.
 */
export type Verdict = 'allowed' | 'warned' | 'denied' | 'unknown';

/** The verdict over one image, given what was found against it. */
export function verdictOf(
  violations: readonly Violation[],
  breakGlass: BreakGlassUse | undefined,
): Verdict {
  const denying = violations.filter((violation) => denies(violation, breakGlass));
  if (denying.length > 0) return denying.every(({ unasked }) => unasked) ? 'unknown' : 'denied';
  return violations.some(({ severity }) => severity === 'warn') ? 'warned' : 'allowed';
}

/** What one violation does, given what becomes of its image: only what enforces decides that. */
export function effectOf({ severity }: Violation, verdict: Verdict): Verdict {
  if (severity === 'warn') return 'warned';
  return severity === 'audit' ? 'allowed' : verdict;
}

/** Whether an image with this verdict may run, for all that is known. */
export function mayRun(verdict: Verdict): boolean {
  return verdict === 'allowed' || verdict === 'warned';
}
