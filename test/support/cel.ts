import { compileCel } from '../../src/predicate/cel.ts';
import type { PredicateCheck } from '../../src/rules/registry-requirement.ts';

/** The check that an expression is; it has to be one. */
export function cel(source: string): PredicateCheck {
  const compiled = compileCel(source);
  if (!compiled.ok) throw new Error(compiled.mistakes[0]?.message);
  return compiled.check;
}
