import assert from 'node:assert/strict';
import { celEnv, parse, plan } from '@bufbuild/cel';
import type { CelInput } from '@bufbuild/cel';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { compileCel } from '../../../src/predicate/cel.ts';
import { textOf } from '../text.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
/** Microseconds of processor time: far above what the budget allows, also on a busy machine. */
const MOST_TIME = 5_000_000;
/** Without a budget the library would take its time over more. */
const MAX_ORACLE = { expression: 200, macros: 2, predicate: 600 };
const ENVIRONMENT = celEnv();

/**
 * The first line is an expression, the rest a predicate. It is refused with what to do, or it is
 * met just when the library, left alone with it, says true; and it ends soon in any case.
 */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  const end = text.indexOf('\n');
  const source = end < 0 ? text : text.slice(0, end);
  const predicate = parseJson(end < 0 ? '{}' : text.slice(end + 1));
  const compiled = within(() => compileCel(source));
  if (!compiled.ok) {
    assert.notEqual(compiled.mistakes.length, 0);
    for (const { message, hint } of compiled.mistakes) assert.ok(message !== '' && hint !== '');
    return;
  }
  const { check } = compiled;
  const refusal = within(() => check.refusal(predicate, NOW));
  assert.ok(refusal === undefined || (refusal !== '' && refusal.length <= 200));
  assert.equal(
    within(() => check.refusal(predicate, NOW)),
    refusal,
  );
  if (refusal === 'costs too much to evaluate' || !isSmall(source, text)) return;
  assert.equal(refusal === undefined, evaluatePlainly(source, predicate) === true, refusal);
}

function within<T>(work: () => T): T {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < MOST_TIME, `${user + system} microseconds`);
  return result;
}

function isSmall(source: string, text: string): boolean {
  const macros = source.match(/all|exists|map|filter/g)?.length ?? 0;
  const predicate = text.length - source.length;
  return (
    source.length <= MAX_ORACLE.expression &&
    macros <= MAX_ORACLE.macros &&
    predicate <= MAX_ORACLE.predicate
  );
}

/** As the library does it, without prices and rewriting. */
function evaluatePlainly(source: string, predicate: unknown): unknown {
  try {
    const evaluate = plan(ENVIRONMENT, parse(source).expr);
    return evaluate({ predicate: asMaps(predicate), now: timestampFromMs(NOW) });
  } catch {
    return undefined;
  }
}

function asMaps(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(asMaps);
  if (typeof value !== 'object' || value === null) return value as CelInput;
  return new Map(Object.entries(value).map(([key, each]) => [key, asMaps(each)]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return {};
  }
}
