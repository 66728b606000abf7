import { isCollection } from 'yaml';
import type { ParsedNode } from 'yaml';
import { endOf, outlineOf } from './outline.ts';
import type { Outline } from './outline.ts';
import { listOf, pairOf } from './nodes.ts';
import {
  flowField,
  renderBlock,
  renderBlockField,
  renderFlow,
  renderFlowLines,
  under,
} from './render.ts';
import type { Style, Tree } from './render.ts';
import { applySplices, columnOf, lineBreakAt, nextLine } from './splice.ts';
import type { Splice } from './splice.ts';
import { styleBeside } from './style.ts';
import type { MapNode, SeqNode, YamlText } from './yaml-text.ts';

/** A text with a new entry, and whether the list of the entry was there before. */
export interface Added {
  readonly text: string;
  readonly list: 'kept' | 'added';
}

/** Adds an item at the end of the list of a key; adds the key when it is missing. */
export function addToList(yaml: YamlText, map: MapNode, key: string, item: Tree): Added {
  const list = listOf(yaml, map, key);
  if (list !== undefined) return { text: addItem(yaml, list, item), list: 'kept' };
  const pair = pairOf(map, key);
  if (pair === undefined) return { text: addField(yaml, map, key, [item]), list: 'added' };
  return { text: fillEmpty(yaml, map, key, item), list: 'kept' };
}

/** Adds an item to a list that is written out, by default behind its last item. */
export function addItem(
  yaml: YamlText,
  list: SeqNode,
  item: Tree,
  after = list.items.length - 1,
): string {
  const outline = outlineOf(yaml.text, list);
  const sibling = list.items[after];
  const style = styleBeside(yaml, sibling);
  if (!outline.flow) {
    const lines = linesOfItem(sibling, item, style);
    return addInBlock(
      yaml.text,
      outline,
      after,
      under(markOf(yaml, outline, after, sibling), lines),
    );
  }
  const place = { outline, after, gap: gapBehind(yaml.text, outline, after) ?? style.gap };
  return addInFlow(yaml.text, place, linesOfFlow(yaml, sibling, item, style));
}

/** The dash of an item with the blanks behind it. */
function markOf(
  { text }: YamlText,
  { entries }: Outline,
  index: number,
  item: ParsedNode | undefined,
): string {
  const start = entries[index]?.start ?? 0;
  const mark = /^-[ \t]+/.exec(text.slice(start, item?.range[0]))?.[0] ?? '- ';
  return mark.replaceAll('\t', ' ');
}

/** Adds a key behind the last one of a mapping. */
export function addField(yaml: YamlText, map: MapNode, key: string, value: Tree): string {
  const outline = outlineOf(yaml.text, map);
  const after = outline.entries.length - 1;
  const style = styleBeside(yaml, undefined);
  if (!outline.flow) {
    return addInBlock(yaml.text, outline, after, renderBlockField(key, value, style));
  }
  const gap = gapBehind(yaml.text, outline, after) ?? style.gap;
  const severalLines = gap.includes('\n');
  const [first = '', ...rest] = severalLines
    ? renderFlowLines(value, style)
    : [renderFlow(value, style)];
  const spaced = severalLines ? { ...style, gap: ' ' } : style;
  return addInFlow(yaml.text, { outline, after, gap }, [flowField(key, first, spaced), ...rest]);
}

/** Puts the first item under a key that has nothing behind its colon. */
function fillEmpty(yaml: YamlText, map: MapNode, key: string, item: Tree): string {
  const { text } = yaml;
  const index = map.items.findIndex((pair) => pair === pairOf(map, key));
  const { flow, entries } = outlineOf(text, map);
  const pair = entries[index];
  const written = map.items[index]?.value;
  const isWritten =
    written !== null && written !== undefined && written.range[0] < written.range[1];
  if (flow || isWritten || pair === undefined) {
    const at = map.items[index]?.key.range[0] ?? 0;
    throw yaml.refusal(at, `${key}: expected a list, got null`, 'leave the key out');
  }
  const style = styleBeside(yaml, undefined);
  const [, ...lines] = renderBlockField(key, [item], style);
  const indent = ' '.repeat(columnOf(text, pair.start));
  return applySplices(text, [
    linesBehind(
      text,
      pair.end,
      lines.map((line) => indent + line),
    ),
  ]);
}

function addInBlock(
  text: string,
  { entries }: Outline,
  after: number,
  lines: readonly string[],
): string {
  const sibling = entries[after];
  if (sibling === undefined) throw new Error('expected an entry to add another one behind');
  const indent = ' '.repeat(columnOf(text, sibling.start));
  return applySplices(text, [
    linesBehind(
      text,
      sibling.end,
      lines.map((line) => indent + line),
    ),
  ]);
}

/** New lines behind the line of an offset, in that line's own way to end. */
function linesBehind(text: string, end: number, lines: readonly string[]): Splice {
  const start = text[end - 1] === '\n' ? end : nextLine(text, end);
  const lineBreak = lineBreakAt(text, start);
  const block = lines.join(lineBreak);
  const ended = text[start - 1] === '\n';
  return { start, end: start, text: ended ? block + lineBreak : lineBreak + block };
}

interface FlowPlace {
  readonly outline: Outline;
  readonly after: number;
  /** Between two entries, behind the comma. */
  readonly gap: string;
}

function addInFlow(
  text: string,
  { outline: { open, entries }, after, gap }: FlowPlace,
  lines: readonly string[],
): string {
  const entry = lines.join(gap.includes('\n') ? gap : '');
  const sibling = entries[after];
  if (sibling === undefined) return applySplices(text, [{ start: open, end: open, text: entry }]);
  const next = entries[after + 1];
  if (next !== undefined) {
    return applySplices(text, [{ start: next.start, end: next.start, text: `${entry},${gap}` }]);
  }
  return applySplices(text, behindLast(text, sibling.end, entry, gap));
}

/** A comment behind the last entry stays on the line of that entry. */
function behindLast(text: string, end: number, entry: string, gap: string): Splice[] {
  const comment = /^[ \t]*(,?)[ \t]*#[^\r\n]*/.exec(text.slice(end));
  if (comment === null || !gap.includes('\n'))
    return [{ start: end, end, text: `,${gap}${entry}` }];
  const lineEnd = end + comment[0].length;
  if (comment[1] === ',') return [{ start: lineEnd, end: lineEnd, text: `${gap}${entry},` }];
  return [
    { start: end, end, text: ',' },
    { start: lineEnd, end: lineEnd, text: gap + entry },
  ];
}

/** What parts entries in brackets: blanks, or a line break and indentation; unknown of one entry. */
function gapBehind(text: string, { open, entries }: Outline, after: number): string | undefined {
  const index = Math.min(after + 1, entries.length - 1);
  const before = entries[index - 1]?.end ?? open;
  const blanks = /\s*$/.exec(text.slice(before, entries[index]?.start ?? open))?.[0] ?? '';
  const lineBreak = /\r?\n[^\n]*$/.exec(blanks);
  if (lineBreak !== null) return lineBreak[0];
  return entries.length > 1 ? blanks : undefined;
}

/** In braces beside an item in braces, else as a block. */
function linesOfItem(sibling: ParsedNode | undefined, item: Tree, style: Style): string[] {
  const inBraces = isCollection(sibling) && sibling.flow === true;
  return inBraces ? [renderFlow(item, style)] : renderBlock(item, style);
}

/** On several lines beside an item on several lines. */
function linesOfFlow(
  { text }: YamlText,
  sibling: ParsedNode | undefined,
  item: Tree,
  style: Style,
): string[] {
  const example = sibling === undefined ? '' : text.slice(sibling.range[0], endOf(text, sibling));
  return example.includes('\n') ? renderFlowLines(item, style) : [renderFlow(item, style)];
}
