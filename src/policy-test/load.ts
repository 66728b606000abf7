import { dirname, isAbsolute, join, resolve } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import { readDocument } from '../files/document.ts';
import type { SourceText } from '../files/document.ts';
import { nearest } from '../files/nearest.ts';
import { parseImageReview } from '../parse/image-review.ts';
import type { ImageReview } from '../parse/image-review.ts';
import { API_VERSION, KIND } from '../parse/image-review.ts';
import { parsePolicy } from '../rules/load.ts';
import type { Policy } from '../rules/policy.ts';
import { readRuleFiles } from '../rules/rule-files.ts';
import { policyTestSchema } from './schema.ts';
import type { PolicyCase } from './schema.ts';

/** A case that can be run. */
export interface LoadedCase {
  readonly name: string;
  readonly review: ImageReview;
  readonly expect: PolicyCase['expect'];
  /** Rules of which each has to be violated. */
  readonly rules: readonly string[];
}

/** A file of policy tests with the policy that it tests. */
export interface LoadedTest {
  readonly file: string;
  readonly policy: Policy;
  readonly cases: readonly LoadedCase[];
}

/** Reads a file, named as the user knows it. */
export type ReadSource = (file: string) => Promise<SourceText>;

/**
 * Reads a file of policy tests and the rules that it names.
 *
 * @param cwd what the names of files are relative to
 * @throws {ImageCheckerError} `rules-invalid` with everything that is wrong with one of the two
 */
export async function loadPolicyTest(
  file: string,
  read: ReadSource,
  cwd: string,
): Promise<LoadedTest> {
  const source = await read(file);
  const test = readDocument(source, policyTestSchema);
  if (!test.ok) throw new ImageCheckerError('rules-invalid', test.problems);
  const rules = await readRules(file, test.value.rules, read);
  const files = await readRuleFiles(rules, resolve(cwd, dirname(rules.file)));
  const policy = parsePolicy(rules, files);
  checkRuleNames(
    source,
    policy.rules.map(({ name }) => name),
  );
  return {
    file,
    policy,
    cases: test.value.cases.map((one) => loadCase(one, file)),
  };
}

async function readRules(file: string, rules: string, read: ReadSource): Promise<SourceText> {
  const path = isAbsolute(rules) ? rules : join(dirname(file), rules);
  try {
    return await read(path);
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    const hint = `${file} names it after \`rules:\`; the path is relative to that file`;
    const problems = thrown.problems.map((problem) => ({ ...problem, hint }));
    throw new ImageCheckerError(thrown.code, problems, { cause: thrown });
  }
}

/** A rule that is not there is never violated: read once more, as an issue with its place. */
function checkRuleNames(source: SourceText, known: readonly string[]): void {
  const checked = policyTestSchema.superRefine(({ cases }, context) => {
    for (const [index, one] of cases.entries()) {
      for (const name of ruleNames(one).filter((rule) => !known.includes(rule))) {
        const message = `no rule is called ${JSON.stringify(name)}`;
        const meant = nearest(name, known);
        const hint =
          meant === undefined ? `there are: ${known.join(', ')}` : `did you mean "${meant}"?`;
        context.addIssue({
          code: 'custom',
          message,
          path: ['cases', index, 'rule'],
          params: { hint },
        });
      }
    }
  });
  const read = readDocument(source, checked);
  if (!read.ok) throw new ImageCheckerError('rules-invalid', read.problems);
}

function ruleNames({ rule }: PolicyCase): readonly string[] {
  return typeof rule === 'string' ? [rule] : (rule ?? []);
}

function loadCase(one: PolicyCase, file: string): LoadedCase {
  const { name, expect } = one;
  return { name, expect, rules: ruleNames(one), review: reviewOf(one, file) };
}

/** By the way of the wire, so that a test knows no review that the service would not. */
function reviewOf(one: PolicyCase, file: string): ImageReview {
  const { name, image, images, review, namespace = 'default', annotations } = one;
  const all = images ?? (image === undefined ? [] : [image]);
  const spec = { containers: all.map((written) => ({ image: written })), annotations, namespace };
  const body = { apiVersion: API_VERSION, kind: KIND, ...(review ?? { spec }) };
  try {
    return parseImageReview(Buffer.from(JSON.stringify(body)));
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    const message = `case ${JSON.stringify(name)}: ${thrown.message}`;
    throw new ImageCheckerError('review-invalid', { file, message }, { cause: thrown });
  }
}
