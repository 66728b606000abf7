import { dirname, resolve } from 'node:path';
import { describeProblem } from '../errors.ts';
import type { Problem } from '../errors.ts';
import type { SourceText } from '../files/document.ts';
import { printable } from '../respond/escape.ts';
import { readRuleFiles } from '../rules/rule-files.ts';
import { validate } from '../rules/validate.ts';
import type { Validation } from '../rules/validate.ts';
import { EXIT } from './context.ts';
import type { CommandContext } from './context.ts';
import { json, Output } from './output.ts';
import { paintFor } from './paint.ts';
import type { Paint } from './paint.ts';
import { readSource } from './read-rules.ts';
import { excerpt } from './excerpt.ts';

export interface ValidateFlags {
  readonly strict?: true;
  readonly output: 'text' | 'json';
}

export async function validateRules(
  file: string,
  { strict, output }: ValidateFlags,
  context: CommandContext,
): Promise<void> {
  const source = await readSource(file, context.cwd, 'name a rules file');
  const files = await readRuleFiles(source, dirname(resolve(context.cwd, file)));
  const found = validate(source, { files, now: Date.now() });
  const valid = found.errors.length === 0 && (strict !== true || found.warnings.length === 0);
  if (!valid) context.exitCode = EXIT.finding;
  const text =
    output === 'json' ? renderJson(found, file, valid) : renderText(found, source, context);
  await new Output(context.stdout).write(text);
}

function renderJson({ errors, warnings }: Validation, file: string, valid: boolean): string {
  return json({ file, valid, errors, warnings });
}

function renderText(found: Validation, source: SourceText, context: CommandContext): string {
  const { errors, warnings, ruleCount } = found;
  const paint = paintFor(context);
  const summary =
    errors.length + warnings.length === 0
      ? `${source.file}: ${paint.green('valid')}, ${count(ruleCount, 'rule')}\n`
      : `${count(errors.length, 'mistake')}, ${count(warnings.length, 'warning')}\n`;
  return [
    ...errors.map((problem) => describe(problem, paint.red('error'), source, paint)),
    ...warnings.map((problem) => describe(problem, paint.yellow('warning'), source, paint)),
    summary,
  ].join('');
}

function describe(problem: Problem, mark: string, { text }: SourceText, paint: Paint): string {
  const { file, line, column, message, hint } = problem;
  const place = describeProblem({ ...problem, message: '' }).trimEnd();
  const head = file === undefined ? `${mark}: ` : `${paint.bold(place)} ${mark}: `;
  const shown = line === undefined ? '' : excerpt(text, line, column ?? 1, paint);
  const advice = hint === undefined ? '' : `  hint: ${printable(hint, MAX_MESSAGE)}\n`;
  return `${head}${printable(message, MAX_MESSAGE)}\n${shown}${advice}\n`;
}

/** In characters: a message may quote from the file. */
const MAX_MESSAGE = 1000;

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
