import { isCollection, isScalar, isSeq } from 'yaml';
import type { CST, ParsedNode } from 'yaml';
import type { MapNode, SeqNode } from './yaml-text.ts';

/** Where something begins and ends in the text, comments and separators left out. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** Where the entries (items, or keys with their values) of a collection are. */
export interface Outline {
  /** In brackets or braces. */
  readonly flow: boolean;
  /** Behind the opening bracket. */
  readonly open: number;
  /** In a block sequence an entry begins with its dash. */
  readonly entries: readonly Extent[];
}

type TokenItem = CST.CollectionItem;
type SourceToken = CST.SourceToken;

/** Tokens before an entry that are none of it. */
const BETWEEN = new Set(['space', 'newline', 'comment', 'comma']);

export function outlineOf(text: string, node: MapNode | SeqNode): Outline {
  const entries = isSeq(node) ? itemExtents(text, node) : pairExtents(text, node);
  return { flow: node.flow === true, open: node.range[0] + 1, entries };
}

/** Where the content of a node ends: before trailing blanks, comments and line breaks. */
export function endOf(text: string, node: ParsedNode): number {
  const [start, end] = node.range;
  if (isCollection(node) && node.flow !== true) {
    return outlineOf(text, node).entries.at(-1)?.end ?? end;
  }
  if (node.srcToken?.type !== 'block-scalar') return end;
  const source = text.slice(start, end);
  // With `+` the blank lines behind it belong to the value.
  return /^[|>]\d?\+/.test(source) ? end : start + source.trimEnd().length;
}

function itemExtents(text: string, list: SeqNode): Extent[] {
  const tokens = tokenItems(list).filter((item) =>
    list.flow === true ? isEntry(item) : item.start.some(isDash),
  );
  return list.items.map((node, index) => {
    const token = tokens[index];
    const first = token?.start.find(({ type }) => !BETWEEN.has(type));
    const start = first?.offset ?? node.range[0];
    if (!isMissing(node)) return { start, end: endOf(text, node) };
    return { start, end: first === undefined ? start : first.offset + first.source.length };
  });
}

function pairExtents(text: string, map: MapNode): Extent[] {
  return map.items.map((pair) => {
    const token = pair.srcToken;
    const start = token?.start.find(({ type }) => !BETWEEN.has(type))?.offset;
    return { start: start ?? pair.key.range[0], end: endOfPair(text, pair) };
  });
}

function endOfPair(text: string, { key, value, srcToken }: MapNode['items'][number]): number {
  if (value !== null && !isMissing(value)) return endOf(text, value);
  const colon = srcToken?.sep?.find(({ type }) => type === 'map-value-ind');
  return colon === undefined ? key.range[1] : colon.offset + colon.source.length;
}

/** Nothing is written where the value would be. */
function isMissing(node: ParsedNode): boolean {
  return isScalar(node) && node.range[0] === node.range[1];
}

function tokenItems(node: SeqNode): TokenItem[] {
  const token = node.srcToken;
  return token !== undefined && 'items' in token ? token.items : [];
}

function isEntry({ key, sep, value }: TokenItem): boolean {
  return value !== undefined || sep !== undefined || (key ?? undefined) !== undefined;
}

function isDash({ type }: SourceToken): boolean {
  return type === 'seq-item-ind';
}
