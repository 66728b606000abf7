import type { Scan, ScanResult } from './scan.ts';
import { mayRun } from './verdict.ts';
import { modeOf, violationText } from './violation-text.ts';

/** A scan as JSON, a result a line: `{"summary","results"}`. */
export function* scanJson({ summary, results }: Scan): Generator<string> {
  const { pods, images, denied, warned, unknown } = summary.total;
  const numbers = { pods, images, denied, warned, ...(unknown > 0 && { unknown }) };
  yield `{"summary":${JSON.stringify(numbers)},"results":[`;
  yield* list(results.map(resultJson));
  yield ']}\n';
}

/** The changes that a scan found as JSON: `{"summary","newlyDenied","newlyAllowed"}`. */
export function* diffJson({ summary, changes }: Scan): Generator<string> {
  const denied = changes.filter(({ after }) => !mayRun(after.verdict));
  const allowed = changes.filter(({ after }) => mayRun(after.verdict));
  const { pods, images } = summary.total;
  const numbers = { pods, images, newlyDenied: denied.length, newlyAllowed: allowed.length };
  yield `{"summary":${JSON.stringify(numbers)},"newlyDenied":[`;
  yield* list(denied.map(({ after }) => resultJson(after)));
  yield '],\n"newlyAllowed":[';
  yield* list(
    allowed.map(({ before, after }) =>
      resultJson({ ...after, violations: before.violations, note: after.note }),
    ),
  );
  yield ']}\n';
}

function* list(results: readonly object[]): Generator<string> {
  for (const [index, result] of results.entries()) {
    yield `${index === 0 ? '' : ','}\n${JSON.stringify(result)}`;
  }
}

function resultJson(result: ScanResult): object {
  const { source, kind, namespace, name, field, image, verdict, violations, note } = result;
  return {
    source,
    kind,
    namespace,
    name,
    field,
    image,
    verdict,
    violations: violations.map((violation) => ({
      rule: violation.rule?.name ?? null,
      mode: modeOf(violation),
      message: violationText(violation),
    })),
    ...(note !== undefined && { note }),
  };
}
