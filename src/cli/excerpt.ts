import { printable } from '../respond/escape.ts';
import type { Paint } from './paint.ts';

/** In characters: how much of a line is shown, and how much of that before the place. */
const WIDTH = 120;
const BEFORE = 60;

/** A line of a text with a caret below a column; both 1-based. */
export function excerpt(text: string, line: number, column: number, paint: Paint): string {
  const whole = text.split('\n', line)[line - 1]?.replace(/\r$/, '') ?? '';
  const from = whole.length <= WIDTH ? 0 : Math.max(0, column - 1 - BEFORE);
  const before = show(whole.slice(from, column - 1));
  const after = show(whole.slice(column - 1, from + WIDTH));
  const gutter = String(line);
  const margin = ' '.repeat(gutter.length);
  return [
    `  ${paint.dim(`${gutter} |`)} ${before}${after}\n`,
    `  ${paint.dim(`${margin} |`)} ${' '.repeat(before.length)}${paint.red('^')}\n`,
  ].join('');
}

function show(text: string): string {
  return printable(text.replaceAll('\t', ' '), Infinity);
}
