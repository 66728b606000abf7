import { printable } from '../respond/escape.ts';

/** One case of a JUnit report, as CI systems read it. */
export interface JunitCase {
  readonly name: string;
  readonly suite: string;
  /** `failure`: it was tried and went wrong; `error`: it could not be tried. */
  readonly outcome: 'passed' | 'failure' | 'error';
  /** Why it did not pass, or what else there is to say. */
  readonly text: string;
}

/** A JUnit report, with a suite for each name. */
export function* junitReport(cases: readonly JunitCase[]): Generator<string> {
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="image-checker"${numbers(cases)}>\n`;
  for (const [suite, members] of bySuite(cases)) {
    yield `  <testsuite name="${escapeXml(suite)}"${numbers(members)}>\n`;
    for (const member of members) yield describeCase(member);
    yield '  </testsuite>\n';
  }
  yield '</testsuites>\n';
}

function bySuite(cases: readonly JunitCase[]): ReadonlyMap<string, readonly JunitCase[]> {
  const suites = new Map<string, JunitCase[]>();
  for (const one of cases) {
    const members = suites.get(one.suite);
    if (members === undefined) suites.set(one.suite, [one]);
    else members.push(one);
  }
  return suites;
}

function numbers(cases: readonly JunitCase[]): string {
  const count = (outcome: string): number => cases.filter((one) => one.outcome === outcome).length;
  return ` tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}"`;
}

function describeCase({ name, suite, outcome, text }: JunitCase): string {
  const head = `    <testcase name="${escapeXml(name)}" classname="${escapeXml(suite)}"`;
  if (outcome === 'passed' && text === '') return `${head}/>\n`;
  const [first = ''] = text.split('\n', 1);
  const body =
    outcome === 'passed'
      ? `<system-out>${escapeXml(text)}</system-out>`
      : `<${outcome} message="${escapeXml(first)}">${escapeXml(text)}</${outcome}>`;
  return `${head}>\n      ${body}\n    </testcase>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Lines stay lines; what XML 1.0 has no way to write is escaped as for a terminal. */
function escapeXml(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line, Infinity).replace(/[&<>"]/g, (found) => ENTITIES[found] ?? ''))
    .join('\n');
}
