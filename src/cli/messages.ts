import { describeProblem } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { printable } from '../respond/escape.ts';
import type { CommandContext } from './context.ts';

/** In characters: a message may quote from a file. */
const MAX_TEXT = 1000;

/** Writes problems that do not end the command, as `run` writes those that do. */
export function writeProblems(
  context: CommandContext,
  severity: 'error' | 'warning',
  problems: readonly Problem[],
): void {
  for (const problem of problems) {
    context.stderr.write(
      `image-checker: ${severity}: ${printable(describeProblem(problem), MAX_TEXT)}\n`,
    );
    if (problem.hint !== undefined)
      context.stderr.write(`image-checker: hint: ${printable(problem.hint, MAX_TEXT)}\n`);
  }
}
