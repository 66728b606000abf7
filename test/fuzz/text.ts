import assert from 'node:assert/strict';
import { ImageCheckerError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';

/** The bytes of an input as text; what is no UTF-8 becomes U+FFFD. */
export function textOf(data: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(data);
}

/**
 * What comes of a parser: a value, or undefined when it refuses the input as it should, with an
 * error of this code that says what is wrong and, if at all, where.
 *
 * @param expectMessage of such an error
 */
export function readOrRefuse<T>(
  code: ErrorCode,
  read: () => T,
  expectMessage: (message: string) => void = () => undefined,
): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    assert.equal(thrown.code, code);
    expectProblems(thrown.problems);
    assert.notEqual(thrown.problems.length, 0);
    expectMessage(thrown.message);
    return undefined;
  }
}

/** Every finding says what is wrong, and places begin at 1. */
export function expectProblems(problems: ImageCheckerError['problems']): void {
  for (const { message, line = 1, column = 1 } of problems) {
    assert.notEqual(message, '');
    assert.ok(line >= 1 && column >= 1, `a place before the text: ${line}:${column}`);
  }
}
