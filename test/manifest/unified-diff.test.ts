import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { colourDiff } from '../../src/manifest/colour-diff.ts';
import { unifiedDiff } from '../../src/manifest/unified-diff.ts';

const NAMES = { oldName: 'old', newName: 'new' };

function diff(oldText: string, newText: string, context = 3): string {
  return unifiedDiff(oldText, newText, { ...NAMES, context }).replace('--- old\n+++ new\n', '');
}

const numbers = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join('');

const NO_END = '\\ No newline at end of file\n';

describe('a unified diff', () => {
  it.each([
    ['of nothing and nothing', '', '', ''],
    ['of the same', 'a\nb\n', 'a\nb\n', ''],
    ['of a line that is new', 'a\nc\n', 'a\nb\nc\n', '@@ -1,2 +1,3 @@\n a\n+b\n c\n'],
    ['of a line that is gone', 'a\nb\nc\n', 'a\nc\n', '@@ -1,3 +1,2 @@\n a\n-b\n c\n'],
    ['of a line that is another', 'a\n', 'b\n', '@@ -1 +1 @@\n-a\n+b\n'],
    [
      'of several lines that are others, the old ones first',
      'a\nb\nc\n',
      'x\ny\nz\n',
      '@@ -1,3 +1,3 @@\n-a\n-b\n-c\n+x\n+y\n+z\n',
    ],
    ['of a text that is new', '', 'a\n', '@@ -0,0 +1 @@\n+a\n'],
    ['of a text that is gone', 'a\nb\n', '', '@@ -1,2 +0,0 @@\n-a\n-b\n'],
    ['of an empty line', 'a\n', '\na\n', '@@ -1 +1,2 @@\n+\n a\n'],
    ['of a line break that is gone', 'a\n', 'a', `@@ -1 +1 @@\n-a\n+a\n${NO_END}`],
    ['of a line break that is new', 'a', 'a\n', `@@ -1 +1 @@\n-a\n${NO_END}+a\n`],
    ['of texts without the last one', 'a\nb', 'x\nb', `@@ -1,2 +1,2 @@\n-a\n+x\n b\n${NO_END}`],
    ['of line ends of Windows', 'a\r\n', 'a\n', '@@ -1 +1 @@\n-a\r\n+a\n'],
  ])('%s', (_title, oldText, newText, expected) => {
    expect(diff(oldText, newText)).toBe(expected);
  });

  it('has as many lines around a change as it is told', () => {
    const newText = numbers(1, 9).replace('5\n', 'x\n');
    expect(diff(numbers(1, 9), newText)).toBe('@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n');
    expect(diff(numbers(1, 9), newText, 0)).toBe('@@ -5 +5 @@\n-5\n+x\n');
  });

  it('joins changes that are near, and parts those that are not', () => {
    const change = (...lines: number[]): string =>
      numbers(1, 30)
        .split('\n')
        .map((line) => (lines.includes(Number(line)) && line !== '' ? 'x' : line))
        .join('\n');
    expect(diff(numbers(1, 30), change(10, 17)).match(/^@@.*/gm)).toEqual(['@@ -7,14 +7,14 @@']);
    expect(diff(numbers(1, 30), change(10, 18)).match(/^@@.*/gm)).toEqual([
      '@@ -7,7 +7,7 @@',
      '@@ -15,7 +15,7 @@',
    ]);
  });

  it('names the files', () => {
    expect(unifiedDiff('a\n', '', { oldName: 'x y', newName: '/z', context: 3 })).toBe(
      '--- x y\n+++ /z\n@@ -1 +0,0 @@\n-a\n',
    );
  });

  it('leads from the one text to the other, by the fewest lines', () => {
    const text = fc
      .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '', '-', '@@')), fc.boolean())
      .map(([lines, ends]) => lines.join('\n') + (ends && lines.length > 0 ? '\n' : ''));
    fc.assert(
      fc.property(text, text, fc.nat(4), (oldText, newText, context) => {
        const found = diff(oldText, newText, context);
        expect(patch(oldText, found)).toBe(newText);
        expect(found.split('\n').filter((line) => /^[-+]/.test(line)).length).toBe(
          fewest(linesOf(oldText), linesOf(newText)),
        );
      }),
    );
  });

  it('is found in time for long texts that have nothing in common', () => {
    const oldText = numbers(1, 600);
    expect(patch(oldText, diff(oldText, numbers(1001, 1600)))).toBe(numbers(1001, 1600));
  });
});

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** What `patch` does: takes each hunk at its line, and expects the lines that it names there. */
function patch(text: string, hunks: string): string {
  const lines = linesOf(text);
  let shift = 0;
  for (const hunk of hunks.split(/^(?=@@ )/m).filter((part) => part !== '')) {
    const [head = '', ...body] = withoutEnds(linesOf(hunk));
    const [, first, count = '1'] = /^@@ -(\d+)(?:,(\d+))? /.exec(head) ?? [];
    const from = Number(first) - (count === '0' ? 0 : 1) + shift;
    const pick = (marks: string): string[] =>
      body.filter((line) => marks.includes(line.charAt(0))).map((line) => line.slice(1));
    expect(lines.slice(from, from + Number(count)).join('')).toBe(pick(' -').join(''));
    lines.splice(from, Number(count), ...pick(' +'));
    shift += pick(' +').length - Number(count);
  }
  return lines.join('');
}

/** Lines that are said to have no line break lose it. */
function withoutEnds(lines: readonly string[]): string[] {
  return lines
    .map((line, index) => (lines[index + 1] === NO_END ? line.slice(0, -1) : line))
    .filter((line) => line !== NO_END);
}

/** Lines to be removed and added, by the longest common subsequence. */
function fewest(oldLines: readonly string[], newLines: readonly string[]): number {
  let row = Array.from({ length: newLines.length + 1 }, () => 0);
  for (const oldLine of oldLines) {
    const next = [0];
    for (const [index, newLine] of newLines.entries()) {
      const same = oldLine === newLine ? (row[index] ?? 0) + 1 : 0;
      next.push(Math.max(same, row[index + 1] ?? 0, next[index] ?? 0));
    }
    row = next;
  }
  return oldLines.length + newLines.length - 2 * (row.at(-1) ?? 0);
}

describe('colours', () => {
  it('are bold for names, cyan for places, red and green for lines', () => {
    const coloured = colourDiff(unifiedDiff('a\n--- x\n', 'a\n+++ y\n', { ...NAMES, context: 1 }));
    expect(coloured.replaceAll('\u001b', '')).toBe(
      [
        '[1m--- old[22m',
        '[1m+++ new[22m',
        '[36m@@ -1,2 +1,2 @@[39m',
        ' a',
        '[31m---- x[39m',
        '[32m++++ y[39m',
        '',
      ].join('\n'),
    );
  });

  it('are none of nothing', () => {
    expect(colourDiff('')).toBe('');
  });
});
