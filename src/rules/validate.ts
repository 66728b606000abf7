import type { Problem } from '../errors.ts';
import { readDocument } from '../files/document.ts';
import type { SourceText } from '../files/document.ts';
import { imagePolicySchema } from './schema.ts';
import { findWarnings } from './warnings.ts';

/** All that there is to say about a rules file. */
export interface Validation {
  readonly errors: readonly Problem[];
  /** None when there are errors: what the file would say is not known then. */
  readonly warnings: readonly Problem[];
  readonly ruleCount: number;
}

export function validate(source: SourceText): Validation {
  const read = readDocument(source, imagePolicySchema);
  if (!read.ok) return { errors: read.problems, warnings: [], ruleCount: 0 };
  return { errors: [], warnings: placeWarnings(source), ruleCount: read.value.spec.rules.length };
}

/** Read once more with the warnings as issues of the schema, which then have line and column. */
function placeWarnings(source: SourceText): readonly Problem[] {
  const warning = imagePolicySchema.superRefine((policy, context) => {
    for (const { path, message, hint } of findWarnings(policy)) {
      context.addIssue({ code: 'custom', path: [...path], message, params: { hint } });
    }
  });
  const read = readDocument(source, warning);
  return read.ok ? [] : read.problems;
}
