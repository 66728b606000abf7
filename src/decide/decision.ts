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
  /** Nothing was found: what the rule asks only a registry can answer, and nobody asked it. */
  readonly unasked?: true;
}

/** What became of the break-glass annotation; it is there only when the annotation was. */
export type BreakGlassUse =
  | { readonly accepted: true; readonly ticket: string }
  | { readonly accepted: false; readonly ticket: string; readonly why: string };

/** What became of one question to a registry. */
export interface RegistryCheck {
  /** As the reference is normalised. */
  readonly image: string;
  readonly rule: string;
  /**
   * `unchecked`: asked, without an answer that could be used; `unasked`: nobody asked, because the
   * verdict was certain without it, or because there was nobody to ask.
   */
  readonly outcome: 'passed' | 'refused' | 'unchecked' | 'unasked';
  /** What was judged: written in the reference, or what its tag pointed at. */
  readonly digest: string | undefined;
  /** Why it was refused or not checked; for the log. */
  readonly why: string | undefined;
  /** The rule's `onError`, where it kept an unchecked image from violating the rule. */
  readonly excused: 'warn' | 'allow' | undefined;
}

/** The verdict over a review, with all its reasons. */
export interface Decision {
  readonly allowed: boolean;
  readonly violations: readonly Violation[];
  /** Every question of a rule to a registry. */
  readonly checks: readonly RegistryCheck[];
  readonly breakGlass: BreakGlassUse | undefined;
}

/** Whether a violation denies, given that break-glass was or was not accepted. */
export function denies(violation: Violation, breakGlass: BreakGlassUse | undefined): boolean {
  if (violation.severity === 'absolute') return true;
  return violation.severity === 'enforce' && breakGlass?.accepted !== true;
}
