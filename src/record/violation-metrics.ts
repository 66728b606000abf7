import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Violation } from '../decide/decision.ts';

/** The rules in force, as far as their names are label values. */
export interface RuleNames {
  readonly rules: readonly {
    readonly name: string;
    readonly mode: Exclude<Violation['severity'], 'absolute'>;
  }[];
}

/** Rules with a count of their own: a monitoring system keeps each for weeks. */
const MAX_RULES = 200;
/** In place of a name; no name of a rule has parentheses. */
const NO_RULE = '(none)';
const OTHER_RULE = '(other)';

/**
 * Counts violations by rule.
 *
 * @param rules asked for the rules in force
 */
export function createViolationCounter(
  registry: Registry,
  rules: () => RuleNames,
): (violations: readonly Violation[]) => void {
  const counter = new Counter({
    name: 'image_checker_violations_total',
    help: `Violations by rule and mode (audit, warn, enforce, absolute). The rule is ${NO_RULE} for what no rule says (an image that no rule covers, or that cannot be read) and ${OTHER_RULE} beyond the first ${MAX_RULES} rules of the file.`,
    labelNames: ['rule', 'mode'],
    registers: [registry],
    collect: () => {
      keepUp();
    },
  });
  const series = new Map<string, { readonly rule: string; readonly mode: string }>();
  const add = (rule: string, mode: string, count: number): void => {
    const labels = { rule, mode };
    counter.inc(labels, count);
    series.set(`${rule} ${mode}`, labels);
  };
  let known: RuleNames | undefined;
  let names = new Set<string>();
  /** Each rule has its series from the start; with a rule they go, so that they stay bounded. */
  const keepUp = (): void => {
    const current = rules();
    if (current === known) return;
    known = current;
    const counted = current.rules.slice(0, MAX_RULES);
    names = new Set([...counted.map(({ name }) => name), NO_RULE]);
    for (const [key, labels] of series) {
      if (names.has(labels.rule) || labels.rule === OTHER_RULE) continue;
      counter.remove(labels);
      series.delete(key);
    }
    for (const { name, mode } of counted) add(name, mode, 0);
  };
  for (const mode of ['enforce', 'absolute']) add(NO_RULE, mode, 0);
  return (violations) => {
    keepUp();
    for (const { rule, severity } of violations) {
      const name = rule?.name ?? NO_RULE;
      add(names.has(name) ? name : OTHER_RULE, severity, 1);
    }
  };
}
