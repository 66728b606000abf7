import type { Problem } from '../errors.ts';
import { checkDocument, parseYaml } from '../files/document.ts';
import type { SourceText } from '../files/document.ts';
import { readPolicy } from './read-policy.ts';
import { refuse } from './refuse.ts';
import type { RuleFiles } from './rule-files.ts';
import { imagePolicySchema } from './schema.ts';
import { findSignerWarnings } from './signer-mistakes.ts';
import { findWarnings } from './warnings.ts';

/** All that there is to say about a rules file. */
export interface Validation {
  readonly errors: readonly Problem[];
  /** None when there are errors: what the file would say is not known then. */
  readonly warnings: readonly Problem[];
  readonly ruleCount: number;
}

/** What a validation needs beside the text. */
export interface ValidationDeps {
  /** Those that the rules name, already read. */
  readonly files: RuleFiles;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export function validate(source: SourceText, deps: ValidationDeps): Validation {
  const read = readPolicy(source, deps.files);
  if (!read.ok) return { errors: read.problems, warnings: [], ruleCount: 0 };
  const warnings = placeWarnings(source, deps);
  return { errors: [], warnings, ruleCount: read.value.spec.rules.length };
}

/** Read once more with the warnings as issues of the schema, which then have line and column. */
function placeWarnings(source: SourceText, { files, now }: ValidationDeps): readonly Problem[] {
  const document = parseYaml(source);
  const warning = imagePolicySchema.superRefine((policy, context) => {
    const warnings = [...findWarnings(policy), ...findSignerWarnings(document.value, files, now)];
    for (const { path, message, hint } of warnings) {
      refuse(context, message, hint, path);
    }
  });
  const read = checkDocument(document, warning);
  return read.ok ? [] : read.problems;
}
