import { compilePolicy } from '../../../src/rules/compile.ts';
import { NO_FILES } from '../../../src/rules/rule-files.ts';
import { imagePolicySchema } from '../../../src/rules/schema.ts';
import { findSignerMistakes } from '../../../src/rules/signer-mistakes.ts';
import { findWarnings } from '../../../src/rules/warnings.ts';
import type { SpecText } from '../../decide/policy-oracle.ts';
import { expectDecidesAsWritten } from '../decides-as-written.ts';
import { textOf } from '../text.ts';

/** As `rules`, without YAML, which takes most of the time: the `spec` alone, as JSON. */
export function fuzz(data: Uint8Array): void {
  const spec = parseJson(textOf(data));
  const head = { apiVersion: 'image-checker/v1', kind: 'ImagePolicy', metadata: { name: 'p' } };
  const read = imagePolicySchema.safeParse({ ...head, spec });
  if (!read.success) return;
  findWarnings(read.data);
  // No files are read here, and a key that is none is a mistake.
  if (findSignerMistakes({ spec }, NO_FILES).length > 0) return;
  expectDecidesAsWritten(spec as SpecText, compilePolicy(read.data, ''));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
