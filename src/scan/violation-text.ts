import type { Violation } from '../decide/decision.ts';

/** What is wrong and, when the rule has one, its message, which says what to do. */
export function violationText({ message, rule }: Violation): string {
  return rule?.message === undefined ? message : `${message}: ${rule.message}`;
}

/** The same with the rule by whom, and its mode when it does not enforce. */
export function violationLine(violation: Violation): string {
  const { rule, severity } = violation;
  const mode = severity === 'warn' || severity === 'audit' ? `, ${severity}` : '';
  return `${violationText(violation)}${rule === undefined ? '' : ` (rule ${rule.name}${mode})`}`;
}

/** The mode by which programs read it: what no rule can allow is enforced like a rule. */
export function modeOf({ severity }: Violation): 'enforce' | 'warn' | 'audit' {
  return severity === 'absolute' ? 'enforce' : severity;
}

/** What denies without a rule; only of a pod without containers it is about no image. */
export function kindWithoutRule({ severity, image }: Violation): string {
  if (severity === 'absolute') return 'no usable reference';
  return image === undefined ? 'empty review' : 'covered by no rule';
}
