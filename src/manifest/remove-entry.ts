import { listOf, pairOf } from './nodes.ts';
import { outlineOf } from './outline.ts';
import type { Extent, Outline } from './outline.ts';
import { applySplices, beforeLineBreak, lineStart, nextLine } from './splice.ts';
import type { Splice } from './splice.ts';
import type { MapNode, SeqNode, YamlText } from './yaml-text.ts';

/**
 * Takes an item out of the list of a key: the opposite of `addToList`, byte for byte.
 *
 * @param list `added` when the key came with the item: it goes with the last one.
 */
export function removeFromList(
  yaml: YamlText,
  {
    map,
    key,
    list,
  }: { readonly map: MapNode; readonly key: string; readonly list: 'kept' | 'added' },
  index: number,
): string {
  const node = listOf(yaml, map, key);
  if (node === undefined) return yaml.text;
  const isLast = node.items.length === 1 && list === 'added';
  return (isLast ? removeField(yaml, map, key) : undefined) ?? removeItems(yaml, node, index, 1);
}

/** Takes items out with their lines, or with their commas. */
export function removeItems(
  { text }: YamlText,
  list: SeqNode,
  index: number,
  count: number,
): string {
  const { flow, open, entries } = outlineOf(text, list);
  const first = entries[index];
  const last = entries[index + count - 1];
  if (first === undefined || last === undefined) return text;
  const joined = entries.toSpliced(index, count, { start: first.start, end: last.end });
  return removeEntry(text, { flow, open, entries: joined }, index);
}

/** Takes a key out with its value; undefined when the key shares its line with a dash. */
export function removeField({ text }: YamlText, map: MapNode, key: string): string | undefined {
  const outline = outlineOf(text, map);
  const index = map.items.findIndex((pair) => pair === pairOf(map, key));
  const start = outline.entries[index]?.start ?? 0;
  if (!outline.flow && text.slice(lineStart(text, start), start).trim() !== '') return undefined;
  return removeEntry(text, outline, index);
}

function removeEntry(text: string, outline: Outline, index: number): string {
  const entry = outline.entries[index];
  if (entry === undefined) return text;
  const splices = outline.flow
    ? inFlow(text, outline, index).map((cut) => ({ ...cut, text: '' }))
    : [linesOf(text, entry)];
  return applySplices(text, splices);
}

/** Whole lines; of the last line of a text that has no line break, the break before it instead. */
function linesOf(text: string, { start, end }: Extent): Splice {
  const from = lineStart(text, start);
  const to = text[end - 1] === '\n' ? end : nextLine(text, end);
  const ended = text[to - 1] === '\n';
  return { start: ended ? from : beforeLineBreak(text, from), end: to, text: '' };
}

function inFlow(text: string, { entries }: Outline, index: number): Extent[] {
  const { start, end } = entries[index] ?? { start: 0, end: 0 };
  const next = entries[index + 1];
  if (next !== undefined) return [{ start, end: endBefore(text, end, next.start) }];
  const comma = commaBehind(text, end);
  const before = entries[index - 1];
  if (before === undefined) return [{ start, end: comma === undefined ? end : comma + 1 }];
  if (!text.slice(before.end, start).includes('#')) return [{ start: before.end, end }];
  // A comment stays: the entry goes with its line break, and the comma that parted the two.
  const line = beforeLineBreak(text, lineStart(text, start));
  if (comma !== undefined) return [{ start: line, end: comma + 1 }];
  const parting = commaBehind(text, before.end) ?? before.end;
  return [
    { start: parting, end: parting + 1 },
    { start: line, end },
  ];
}

/** Where the next entry, or a comment of its own, begins. */
function endBefore(text: string, end: number, next: number): number {
  const parting = /^\s*,[ \t]*(?:#[^\n]*)?\s*/.exec(text.slice(end, next));
  return parting === null ? next : end + parting[0].length;
}

/** The next comma when only blanks and comments are before it. */
function commaBehind(text: string, offset: number): number | undefined {
  const blanks = /^(?:\s+|(?<=\s)#[^\n]*)*/.exec(text.slice(offset))?.[0] ?? '';
  const comma = offset + blanks.length;
  return text[comma] === ',' ? comma : undefined;
}
