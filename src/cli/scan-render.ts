import { describeProblem } from '../errors.ts';
import { sarifLog } from '../scan/sarif.ts';
import type { Scan, ScanResult } from '../scan/scan.ts';
import { diffJson, scanJson } from '../scan/scan-json.ts';
import { effectOf, mayRun } from '../scan/verdict.ts';
import { violationLine } from '../scan/violation-text.ts';
import { junitReport } from './junit.ts';
import type { JunitCase } from './junit.ts';
import { json } from './output.ts';
import type { Paint } from './paint.ts';
import { diffTable, scanTable } from './scan-table.ts';

/** What of a scan is shown, and how. */
export interface ScanView {
  /** Given: the changes alone. */
  readonly diff?: string;
  readonly output: 'table' | 'json' | 'junit' | 'sarif';
}

/** A scan in the format that was asked for, in pieces. */
export function renderScan(scan: Scan, { diff, output }: ScanView, paint: Paint): Iterable<string> {
  const changed = diff !== undefined;
  switch (output) {
    case 'table':
      return changed ? diffTable(scan, paint) : scanTable(scan, paint);
    case 'json':
      return changed ? diffJson(scan) : scanJson(scan);
    case 'junit':
      return junitReport(junitCases(scan, findingsOf(scan, changed)));
    case 'sarif':
      return [json(sarifLog(findingsOf(scan, changed), scan.problems))];
  }
}

/** What a CI system is told of changes is what they newly deny. */
function findingsOf({ results, changes }: Scan, changed: boolean): readonly ScanResult[] {
  if (!changed) return results;
  return changes.map(({ after }) => after).filter(({ verdict }) => !mayRun(verdict));
}

function junitCases({ problems }: Scan, results: readonly ScanResult[]): readonly JunitCase[] {
  const errors = problems.map((problem): JunitCase => ({
    name: 'can be read',
    suite: problem.file ?? '',
    outcome: 'error',
    text: describeProblem(problem),
  }));
  return [...results.map(junitCase), ...errors];
}

function junitCase(result: ScanResult): JunitCase {
  const { source, kind, namespace, name, field, image, verdict, violations, note } = result;
  const told = violations.map((violation) => ({ violation, effect: effectOf(violation, verdict) }));
  // CI systems show the first line alone: it is one that keeps the image from running.
  const lines = told
    .toSorted((one, other) => Number(mayRun(one.effect)) - Number(mayRun(other.effect)))
    .map(({ violation, effect }) => `${effect}: ${violationLine(violation)}`);
  return {
    name: `${namespace}/${kind}/${name} ${field} ${image}`,
    suite: source,
    outcome: mayRun(verdict) ? 'passed' : 'failure',
    text: [...lines, ...(note === undefined ? [] : [note])].join('\n'),
  };
}
