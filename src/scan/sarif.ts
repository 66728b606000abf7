import { createHash } from 'node:crypto';
import type { Violation } from '../decide/decision.ts';
import type { Problem } from '../errors.ts';
import { describeProblem } from '../errors.ts';
import type { ScanResult } from './scan.ts';
import { effectOf } from './verdict.ts';
import { kindWithoutRule, violationText } from './violation-text.ts';

/*
 * SARIF 2.1.0 (OASIS), as far as code scanning services read it: a result for each violation, at
 * the line of the object or of the image.
 */

const SCHEMA =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
const LEVELS = { denied: 'error', unknown: 'error', warned: 'warning', allowed: 'note' } as const;

/** A SARIF log of what was found and of what could not be read. */
export function sarifLog(results: readonly ScanResult[], problems: readonly Problem[]): object {
  const found = results.flatMap((result) =>
    result.violations.map((violation) => ({ result, violation })),
  );
  const rules = [...new Set(found.map(({ violation }) => ruleIdOf(violation)))].sort();
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'image-checker', rules: rules.map((id) => ({ id })) } },
        invocations: [
          {
            executionSuccessful: problems.length === 0,
            toolExecutionNotifications: problems.map(notification),
          },
        ],
        results: found.map(({ result, violation }) => sarifResult(result, violation)),
      },
    ],
  };
}

/** What has no rule gets an id that no rule can have. */
function ruleIdOf(violation: Violation): string {
  return violation.rule?.name ?? `image-checker/${kindWithoutRule(violation).replaceAll(' ', '-')}`;
}

function sarifResult(result: ScanResult, violation: Violation): object {
  const { source, line, kind, namespace, name, field, image, verdict, note } = result;
  const ruleId = ruleIdOf(violation);
  const where = `${namespace}/${kind}/${name}/${field}`;
  const rest = note === undefined ? '' : ` (${note})`;
  return {
    ruleId,
    level: LEVELS[effectOf(violation, verdict)],
    message: { text: `${image || '""'}: ${violationText(violation)}${rest}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(source) },
          ...(line !== undefined && { region: { startLine: line } }),
        },
        logicalLocations: [{ fullyQualifiedName: where }],
      },
    ],
    partialFingerprints: { 'imageField/v1': fingerprint([source, where, image, ruleId]) },
  };
}

function uriOf(source: string): string {
  return source.replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/');
}

function fingerprint(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function notification(problem: Problem): object {
  return { level: 'error', message: { text: describeProblem(problem) } };
}
