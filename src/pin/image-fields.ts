import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Document, Node, Pair, Scalar } from 'yaml';
import { messageOf } from '../errors.ts';
import type { Problem } from '../errors.ts';
import type { SourceText } from '../files/document.ts';
import type { ObjectPath } from '../scan/found-object.ts';
import { findOtherBreak, ReadOtherwise, toValue } from '../scan/kubectl-yaml.ts';
import { readWorkloads } from '../scan/workload.ts';
import { findSharedTexts } from './shared-text.ts';

/** An image in the text of a manifest. */
export interface ImageField {
  readonly image: string;
  /** Offsets of the image itself, within its quotes. */
  readonly start: number;
  readonly end: number;
  /** 1-based. */
  readonly line: number;
  /** Whether the text also says, by an anchor, what is no image of a workload. */
  readonly isShared: boolean;
}

export interface ImageFields {
  /** In the order of the text; one that several places refer to by an alias is one. */
  readonly fields: readonly ImageField[];
  readonly problems: readonly Problem[];
}

/** Finds the images of all workloads in a manifest of any number of documents (JSON is YAML). */
export function readImageFields(source: SourceText): ImageFields {
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const fields = new Map<number, ImageField>();
  const say: Say = (offset, words) => {
    problems.push({ file: source.file, line: lineOf(lines, offset), ...words });
  };
  const documents = documentsOf(source.text, lines);
  const otherBreak = otherBreakIn(source.text);
  if (otherBreak !== undefined) {
    say(otherBreak.offset, wordsOf(otherBreak));
    return { fields: [], problems };
  }
  for (const document of documents) {
    const images = imagesOf(document, say).map((each) => ({
      ...each,
      node: nodeAt(document, each.path),
    }));
    const shared = findSharedTexts(document, images.filter(isWritten));
    for (const { image, node } of images) {
      const place = placeOf(node, image, source.text);
      if (typeof place === 'number') {
        const message = `expected ${image} to be written in one piece, got another way of writing it`;
        say(place, { message });
      } else {
        const line = lineOf(lines, place.start);
        fields.set(place.start, { ...place, line, isShared: isScalar(node) && shared.has(node) });
      }
    }
  }
  if (problems.length === 0 && documents.every(isEmpty)) {
    say(0, { message: 'expected a Kubernetes object, got nothing at all', hint: HINT });
  }
  return { fields: [...fields.values()].sort((a, b) => a.start - b.start), problems };
}

function documentsOf(text: string, lineCounter: LineCounter): readonly Document.Parsed[] {
  const options = { lineCounter, merge: true, prettyErrors: false, logLevel: 'silent' } as const;
  const documents = parseAllDocuments(text, options);
  return Array.isArray(documents) ? documents : [];
}

/** Also for what is commented out, and between separators without anything. */
function isEmpty({ contents }: Document.Parsed): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

function otherBreakIn(text: string): ReadOtherwise | undefined {
  const first = findOtherBreak(text);
  return first !== undefined && isJson(text) ? findOtherBreak(blankTexts(text)) : first;
}

/** JSON that stays as long, with blanks for the ends of lines that are but characters in its texts. */
function blankTexts(json: string): string {
  return json.replaceAll(/[\u0085\u2028\u2029]/g, ' ');
}

/** JSON is YAML here, and JSON to kubectl. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
    return true;
  } catch {
    return false;
  }
}

function lineOf(lines: LineCounter, offset: number): number {
  return Math.max(lines.linePos(offset).line, 1);
}

type Words = Pick<Problem, 'message' | 'hint'>;
type Say = (offset: number, words: Words) => void;

function wordsOf({ message, hint }: ReadOtherwise): Words {
  return { message, hint };
}

const HINT = 'name a manifest of Kubernetes';

function imagesOf(
  document: Document.Parsed,
  say: Say,
): readonly { readonly path: ObjectPath; readonly image: string }[] {
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    say(mistake.pos[0], { message: `not YAML: ${mistake.message}` });
    return [];
  }
  const begin = document.contents?.range[0] ?? document.range[0];
  const found: { path: ObjectPath; image: string }[] = [];
  try {
    const value = toValue(document);
    const nowhere = (): { line: number; column: number } => ({ line: 1, column: 1 });
    readWorkloads(
      { value, kind: undefined, apiVersion: undefined, locate: nowhere },
      {
        pod: ({ images }, path) => {
          const written = images.filter(({ image }) => image !== '');
          found.push(
            ...written.map((each) => ({ path: [...path, ...each.path], image: each.image })),
          );
        },
        skipped: () => undefined,
        foreign: (message, path) => {
          say(nodeAt(document, path)?.range?.[0] ?? begin, { message, hint: HINT });
        },
        misspelt: (message, path, hint) => {
          say(nodeAt(document, path)?.range?.[0] ?? begin, { message, hint });
        },
        invalid: (message, path) => {
          say(nodeAt(document, path)?.range?.[0] ?? begin, { message });
        },
      },
    );
  } catch (thrown) {
    if (thrown instanceof ReadOtherwise) say(thrown.offset, wordsOf(thrown));
    else say(begin, { message: `not YAML: ${messageOf(thrown)}` });
  }
  return found;
}

type Place = Pick<ImageField, 'image' | 'start' | 'end'>;

/** Where an image is written; the offset alone when it is not written as it is. */
function placeOf(node: Node | undefined, image: string, text: string): Place | number {
  const [start, end] = node?.range ?? [0, 0];
  const written = text.slice(start, end);
  if (written === image) return { image, start, end };
  const isQuoted = written === `'${image}'` || written === `"${image}"`;
  return isQuoted ? { image, start: start + 1, end: end - 1 } : start;
}

/** What the value at a path is written as, which may be elsewhere by an alias or a merge. */
function nodeAt(document: Document.Parsed, path: ObjectPath): Node | undefined {
  const found = path.reduce<unknown>((at, step) => stepInto(document, at, step), document.contents);
  const node = resolved(document, found);
  return isNode(node) ? node : undefined;
}

function isWritten<T extends { node: Node | undefined }>(each: T): each is T & { node: Scalar } {
  return isScalar(each.node);
}

function resolved(document: Document.Parsed, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function stepInto(document: Document.Parsed, from: unknown, step: string | number): unknown {
  const node = resolved(document, from);
  if (isSeq(node)) return node.items[Number(step)];
  if (!isMap(node)) return undefined;
  const own = node.items.find((pair) => keyOf(pair) === String(step));
  return own === undefined ? stepIntoMerged(document, node.items, step) : own.value;
}

/** What `<<` brings in: the first of several maps that has the key. */
function stepIntoMerged(
  document: Document.Parsed,
  pairs: readonly Pair[],
  step: string | number,
): unknown {
  const merged = pairs
    .filter((pair) => keyOf(pair) === '<<')
    .map(({ value }) => resolved(document, value))
    .flatMap((value) => (isSeq(value) ? value.items : [value]));
  return merged.map((map) => stepInto(document, map, step)).find((value) => value !== undefined);
}

/** The library makes a symbol of `<<`. */
function keyOf({ key }: Pair): string | undefined {
  if (!isScalar(key)) return undefined;
  return typeof key.value === 'symbol' ? key.value.description : String(key.value);
}
