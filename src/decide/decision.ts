import type { Mode } from '../rules/policy.ts';

/**
 * Something against an image, or against the review as a whole.
 *
 * `severity` is the mode of the violated rule, `enforce` for what denies without a rule (an image
 * that no rule covers), and `absolute` for what break-glass cannot override.
 */
export interface Violation {
  readonly severity: 'absolute' | Mode;
  /** As written; undefined when it is about the review as a whole. */
  readonly image: string | undefined;
  /** What is wrong. */
  readonly message: string;
  readonly rule: { readonly name: string; readonly message: string | undefined } | undefined;
}

/** What became of the break-glass annotation; it is there only when the annotation was. */
export type BreakGlassUse =
  | { readonly accepted: true; readonly ticket: string }
  | { readonly accepted: false; readonly ticket: string; readonly why: string };

/** The verdict over a review, with all its reasons. */
export interface Decision {
  readonly allowed: boolean;
  readonly violations: readonly Violation[];
  readonly breakGlass: BreakGlassUse | undefined;
}

/** Whether a violation denies, given that break-glass was or was not accepted. */
export function denies(violation: Violation, breakGlass: BreakGlassUse | undefined): boolean {
  if (violation.severity === 'absolute') return true;
  return violation.severity === 'enforce' && breakGlass?.accepted !== true;
}
