import { compilePolicy } from '../../../src/rules/compile.ts';
import { imagePolicySchema } from '../../../src/rules/schema.ts';
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
  expectDecidesAsWritten(spec as SpecText, compilePolicy(read.data, ''));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
