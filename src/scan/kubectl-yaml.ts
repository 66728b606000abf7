/*
 * kubectl reads YAML with go-yaml 2, by the rules of YAML 1.1; the library here goes by those of 1.2.
 * What the two take for different things is a problem: what is judged would not be what is sent.
 */
import { isScalar, visit } from 'yaml';
import type { Document, Scalar } from 'yaml';

/** A text that kubectl may read otherwise than it is read here. */
export class ReadOtherwise extends Error {
  /** Where, in characters from the beginning of the text. */
  readonly offset: number;
  readonly hint: string;

  constructor(message: string, offset: number, hint: string) {
    super(message);
    this.name = 'ReadOtherwise';
    this.offset = offset;
    this.hint = hint;
  }
}

/**
 * The first end of a line that YAML 1.1 alone has: there a comment ends, and what follows it counts.
 * In JSON it is a character as others, so this is for YAML that is none.
 */
export function findOtherBreak(text: string): ReadOtherwise | undefined {
  const offset = text.search(OTHER_LINE_BREAK);
  if (offset < 0) return undefined;
  const code = text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, '0');
  const message = `expected lines to end by LF or CR LF, got U+${code}, which kubectl takes for an end`;
  const hint =
    'end the line by LF; within a text write it in double quotes as "\\r", "\\N", "\\L" or "\\P"';
  return new ReadOtherwise(message, offset, hint);
}

const OTHER_LINE_BREAK = /\r(?!\n)|[\u0085\u2028\u2029]/;

/**
 * The value of a document, with aliases and merges filled in.
 *
 * @throws ReadOtherwise, and what the library throws for aliases that lead nowhere or multiply
 */
export function toValue(document: Document.Parsed): unknown {
  visit(document, {
    Pair(_key, { key }) {
      if (isScalar(key)) checkMergeKey(key);
    },
  });
  return document.toJS({ maxAliasCount: 100 });
}

const MERGE_TAG = 'tag:yaml.org,2002:merge';

function checkMergeKey(key: Scalar): void {
  if (key.tag !== undefined && (key.source === '<<' || key.tag === MERGE_TAG)) {
    const hint = 'write << without quotes and tags to merge, or "<<" for a key of this name';
    throw new ReadOtherwise(`expected << without a tag, got ${key.tag}`, offsetOf(key), hint);
  }
  const merge = key.addToJSMap;
  if (merge === undefined) return;
  // For the library what is merged gives way to what stands before it, for go-yaml the other way round.
  key.addToJSMap = (context, map, value) => {
    const merged = new Map<unknown, unknown>();
    merge(context, merged, value);
    for (const [name, each] of merged) {
      if (hasName(map, name)) throw givenBefore(key, String(name));
      addTo(map, name, each);
    }
  };
}

/** What the library fills: a mapping, or one whose names are to be merged into another. */
type Filled = Parameters<NonNullable<Scalar['addToJSMap']>>[1];

function hasName(map: Filled, name: unknown): boolean {
  return map instanceof Map || map instanceof Set
    ? map.has(name)
    : Object.hasOwn(map, String(name));
}

function addTo(map: Filled, name: unknown, value: unknown): void {
  if (map instanceof Map) map.set(name, value);
  else if (map instanceof Set) map.add(name);
  // Not by assignment: the name may be `__proto__`.
  else Object.defineProperty(map, String(name), { value, ...OWN });
}

const OWN = { writable: true, enumerable: true, configurable: true };

function givenBefore(key: Scalar, name: string): ReadOtherwise {
  const message = `expected << before the keys that it gives, got ${JSON.stringify(name)} before it`;
  const hint = 'put << first, and several into one list (<<: [*a, *b]): kubectl takes the last';
  return new ReadOtherwise(message, offsetOf(key), hint);
}

function offsetOf({ range }: Scalar): number {
  return range?.[0] ?? 0;
}
