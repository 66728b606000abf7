import type { Violation } from '../decide/decision.ts';
import type { CaseResult } from '../policy-test/run-case.ts';
import { printable } from '../respond/escape.ts';
import { modeOf, violationLine, violationText } from '../scan/violation-text.ts';
import { junitReport } from './junit.ts';
import { json } from './output.ts';
import type { Paint } from './paint.ts';

export type TestFormat = 'text' | 'json' | 'junit';

export interface FileResult {
  readonly file: string;
  readonly cases: readonly CaseResult[];
}

/** In characters of each foreign text. */
const MAX_TEXT = 500;

/** What came of the tests, in pieces. */
export function renderTests(
  results: readonly FileResult[],
  format: TestFormat,
  paint: Paint,
): Iterable<string> {
  if (format === 'text') return testText(results, paint);
  return format === 'json' ? [testJson(results)] : junitReport(results.flatMap(junitCases));
}

function* testText(results: readonly FileResult[], paint: Paint): Generator<string> {
  for (const { file, cases } of results) {
    yield `${paint.bold(printable(file, MAX_TEXT))}\n`;
    for (const one of cases) yield describeCase(one, paint);
    yield '\n';
  }
  const { cases, passed, failed } = numbers(results);
  const verdict = failed > 0 ? paint.red(`${failed} failed`) : paint.green('0 failed');
  yield `${cases} ${cases === 1 ? 'case' : 'cases'}: ${passed} passed, ${verdict}\n`;
}

function describeCase(result: CaseResult, paint: Paint): string {
  const name = printable(result.name, MAX_TEXT);
  if (result.passed) return `  ${paint.green('✓')} ${name}\n`;
  const lines = explain(result).map((line) => `      ${printable(line, MAX_TEXT)}\n`);
  return `  ${paint.red('✗')} ${name}\n${lines.join('')}`;
}

/** What was expected, what came, and why. */
function explain({ expected, got, missing, violations }: CaseResult): readonly string[] {
  const lines =
    expected === got
      ? missing.map((rule) => `expected rule ${rule} to be violated, got no violation of it`)
      : [`expected ${expected}, got ${got}`];
  return [...lines, ...violations.map(describeViolation)];
}

function describeViolation(violation: Violation): string {
  const { image } = violation;
  return `${image === undefined ? 'review' : image || '""'}: ${violationLine(violation)}`;
}

function numbers(results: readonly FileResult[]): {
  cases: number;
  passed: number;
  failed: number;
} {
  const all = results.flatMap(({ cases }) => cases);
  const passed = all.filter((one) => one.passed).length;
  return { cases: all.length, passed, failed: all.length - passed };
}

function testJson(results: readonly FileResult[]): string {
  const cases = results.flatMap(({ file, cases: members }) =>
    members.map(({ violations, ...rest }) => ({
      file,
      ...rest,
      violations: violations.map((violation) => ({
        image: violation.image ?? null,
        rule: violation.rule?.name ?? null,
        mode: modeOf(violation),
        message: violationText(violation),
      })),
    })),
  );
  return json({ summary: numbers(results), results: cases });
}

function junitCases({ file, cases }: FileResult): Parameters<typeof junitReport>[0] {
  return cases.map((result) => ({
    name: result.name,
    suite: file,
    outcome: result.passed ? 'passed' : 'failure',
    text: result.passed ? '' : explain(result).join('\n'),
  }));
}
