import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { parsePolicy } from '../../../src/rules/load.ts';
import { NO_FILES } from '../../../src/rules/rule-files.ts';
import { validate } from '../../../src/rules/validate.ts';
import type { SpecText } from '../../decide/policy-oracle.ts';
import { expectDecidesAsWritten } from '../decides-as-written.ts';
import { expectProblems, readOrRefuse, textOf } from '../text.ts';

/** A text is a rules file that decides as the design, written out, decides; or it is refused. */
export function fuzz(data: Uint8Array): void {
  const source = { file: 'rules.yaml', text: textOf(data) };
  const policy = readOrRefuse('rules-invalid', () => parsePolicy(source));
  const { errors, warnings } = validate(source, { files: NO_FILES, now: 0 });
  expectProblems([...errors, ...warnings]);
  assert.equal(errors.length === 0, policy !== undefined);
  if (policy === undefined) return;
  const { spec } = parse(source.text) as { spec: SpecText };
  expectDecidesAsWritten(spec, policy);
}
