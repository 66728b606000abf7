import { findLineEdits } from './line-edits.ts';
import type { LineEdit } from './line-edits.ts';

export interface DiffOptions {
  readonly oldName: string;
  readonly newName: string;
  /** Lines around a change. */
  readonly context: number;
}

const MARKS = { kept: ' ', removed: '-', added: '+' } as const;

/** What leads from one text to another, as `diff -u` writes it; empty when they are the same. */
export function unifiedDiff(
  oldText: string,
  newText: string,
  { oldName, newName, context }: DiffOptions,
): string {
  const edits = findLineEdits(linesOf(oldText), linesOf(newText));
  const hunks = findHunks(edits, context);
  if (hunks.length === 0) return '';
  const body = hunks.map(({ start, end }) => renderHunk(edits, start, end));
  return `--- ${oldName}\n+++ ${newName}\n${body.join('')}`;
}

/** Lines with their line breaks; the last one may have none. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

interface Hunk {
  readonly start: number;
  readonly end: number;
}

/** Changes with the lines around them; what would touch or overlap is one. */
function findHunks(edits: readonly LineEdit[], context: number): Hunk[] {
  const hunks: Hunk[] = [];
  for (const [index, { kind }] of edits.entries()) {
    if (kind === 'kept') continue;
    const start = Math.max(0, index - context);
    const end = Math.min(edits.length, index + context + 1);
    const last = hunks.at(-1);
    if (last === undefined || start > last.end) hunks.push({ start, end });
    else hunks[hunks.length - 1] = { start: last.start, end };
  }
  return hunks;
}

function renderHunk(edits: readonly LineEdit[], start: number, end: number): string {
  const before = edits.slice(0, start);
  const lines = edits.slice(start, end);
  const oldRange = rangeOf(before, lines, 'added');
  const newRange = rangeOf(before, lines, 'removed');
  return `@@ -${oldRange} +${newRange} @@\n${lines.map(renderLine).join('')}`;
}

/** First line and number of lines of a hunk in one of the texts, which has no lines of the other. */
function rangeOf(
  before: readonly LineEdit[],
  lines: readonly LineEdit[],
  other: LineEdit['kind'],
): string {
  const count = lines.filter(({ kind }) => kind !== other).length;
  const first = before.filter(({ kind }) => kind !== other).length + (count === 0 ? 0 : 1);
  return count === 1 ? String(first) : `${first},${count}`;
}

function renderLine({ kind, line }: LineEdit): string {
  const marked = MARKS[kind] + line;
  return line.endsWith('\n') ? marked : `${marked}\n\\ No newline at end of file\n`;
}
