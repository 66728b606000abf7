import { checkDocument, parseYaml } from '../files/document.ts';
import type { ReadResult, SourceText } from '../files/document.ts';
import { refuse } from './refuse.ts';
import type { RuleFiles } from './rule-files.ts';
import { imagePolicySchema } from './schema.ts';
import type { ImagePolicy } from './schema.ts';
import { findSignerMistakes } from './signer-mistakes.ts';

/** Reads a rules file against its schema, and looks into the files that it names: all mistakes at once. */
export function readPolicy(source: SourceText, files: RuleFiles): ReadResult<ImagePolicy> {
  const document = parseYaml(source);
  const schema = imagePolicySchema.superRefine(
    (_policy, context) => {
      for (const { path, message, hint } of findSignerMistakes(document.value, files)) {
        refuse(context, message, hint, path);
      }
    },
    { when: () => true },
  );
  return checkDocument(document, schema);
}
