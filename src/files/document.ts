import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Document, ErrorCode, ParsedNode, YAMLError } from 'yaml';
import type { z } from 'zod';
import type { Problem } from '../errors.ts';
import { messageOf } from '../errors.ts';
import { describeIssues } from './issue.ts';
import type { DescribedIssue } from './issue.ts';
import { syntaxHint } from './syntax-hint.ts';

/** A text and the name by which the user knows it. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

type Path = readonly PropertyKey[];

/** A YAML document that was read, with the way back from a value to its place in the text. */
export interface PlacedDocument {
  /** Undefined where it is not YAML; of a key that stands there twice the last. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  problemOf(issue: DescribedIssue): Problem;
}

export type ReadResult<T> =
  | { readonly ok: true; readonly value: T }
  /** `raw` is the document before the schema, where it could be read at all. */
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly raw?: unknown };

/**
 * Reads one strict YAML document (JSON is YAML) against a schema and reports every mistake with
 * line and column: syntax, duplicate keys, unknown tags, a second document, unknown keys, types.
 */
export function readDocument<T>(source: SourceText, schema: z.ZodType<T>): ReadResult<T> {
  return checkDocument(parseYaml(source), schema);
}

/** The same for a document that was parsed. */
export function checkDocument<T>(document: PlacedDocument, schema: z.ZodType<T>): ReadResult<T> {
  const { value, problems } = document;
  if (value === undefined) return { ok: false, problems };
  const parsed = schema.safeParse(value);
  if (parsed.success && problems.length === 0) return { ok: true, value: parsed.data };
  const issues = parsed.success ? [] : describeIssues(parsed.error.issues, value, schema);
  const all = [...problems, ...issues.map((issue) => document.problemOf(issue))].sort(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
  return { ok: false, problems: all, raw: value };
}

/** Reads one strict YAML document without a schema: for files that are not ours. */
export function parseYaml(source: SourceText): PlacedDocument {
  const lineCounter = new LineCounter();
  const document = parseDocument(source.text, {
    lineCounter,
    prettyErrors: false,
    stringKeys: true,
    logLevel: 'error', // 'silent' would also swallow that there is a second document
  });
  const place = (offset: number): Pick<Problem, 'line' | 'column'> => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const found = mistakesIn(document);
  const problems = found.map((mistake): Problem => ({
    file: source.file,
    ...place(offsetOfMistake(mistake, document, source)),
    ...describeMistake(mistake),
  }));
  const { value, mistake } = found.some(isSyntax) ? { value: undefined } : toValue(document);
  if (mistake !== undefined) {
    problems.push({ file: source.file, ...place(offsetOfAlias(document)), message: mistake });
  }
  return {
    value,
    problems,
    problemOf: ({ path, message, hint, atKey }) => ({
      file: source.file,
      ...place(offsetOf(document, path, atKey === true)),
      message,
      ...(hint === undefined ? {} : { hint }),
    }),
  };
}

/** Of mistakes in the syntax the first alone: the others are what it leads to. */
function mistakesIn({ errors, warnings }: Document.Parsed): readonly YAMLError[] {
  const [first, ...others] = errors.filter(isSyntax);
  return [...errors, ...warnings].filter(
    (mistake) => mistake === first || !others.includes(mistake),
  );
}

/** What is YAML, and not what we read, has words of its own. */
const OTHER_MISTAKES: Readonly<Partial<Record<ErrorCode, string>>> = {
  DUPLICATE_KEY: 'expected each key once, got this one again',
  MULTIPLE_DOCS: 'expected one YAML document, got another one',
};

const isSyntax = ({ code }: YAMLError): boolean => OTHER_MISTAKES[code] === undefined;

function describeMistake({ code, message }: YAMLError): Pick<Problem, 'message' | 'hint'> {
  const other = OTHER_MISTAKES[code];
  if (other !== undefined) return { message: other };
  return { message: notYaml(message), hint: syntaxHint(code, message) };
}

function notYaml(message: string): string {
  return `not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

/** Of a quote that is never closed where it opens, and of a line its first character. */
function offsetOfMistake(
  { code, message, pos: [offset] }: YAMLError,
  document: Document.Parsed,
  { text }: SourceText,
): number {
  if (code === 'MISSING_CHAR' && message.startsWith('Missing closing')) {
    return offsetOfQuoted(document, offset) ?? offset;
  }
  if (code === 'TAB_AS_INDENT' || (offset > 0 && text[offset - 1] !== '\n')) return offset;
  const indentation = /^ */.exec(text.slice(offset, offset + MAX_INDENTATION))?.[0] ?? '';
  return offset + indentation.length;
}

/** In characters: deeper than anybody writes. */
const MAX_INDENTATION = 1000;

/** Where the last quoted text before a place begins. */
function offsetOfQuoted(document: Document.Parsed, before: number): number | undefined {
  let found: number | undefined;
  visit(document, {
    Scalar(_key, { type, range }) {
      const start = range?.[0] ?? before;
      if (type?.startsWith('QUOTE_') === true && start < before) found = start;
    },
  });
  return found;
}

/** Aliases are resolved here; how far they may multiply is bounded by the library. */
function toValue(document: Document.Parsed): { value: unknown; mistake?: string } {
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) as unknown };
  } catch (thrown) {
    const message = notYaml(messageOf(thrown));
    const unresolved = message.includes('unresolved alias');
    return {
      value: undefined,
      mistake: unresolved ? `${message}; a text that begins with "*" has to be in quotes` : message,
    };
  }
}

/** Where the first alias stands that names no anchor before it; else the first of all. */
function offsetOfAlias(document: Document.Parsed): number {
  const anchors = new Set<string>();
  let first: number | undefined;
  let unresolved: number | undefined;
  visit(document, {
    Node(_key, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
        return undefined;
      }
      const offset = node.range?.[0] ?? 0;
      first ??= offset;
      if (anchors.has(node.source)) return undefined;
      unresolved = offset;
      return visit.BREAK;
    },
  });
  return unresolved ?? first ?? 0;
}

/** Where the value (or its key) at a path begins; of a missing value, its closest container. */
function offsetOf(document: Document.Parsed, path: Path, atKey: boolean): number {
  let node: ParsedNode | null = document.contents;
  let offset = node?.range[0] ?? 0;
  for (const [index, step] of path.entries()) {
    const next = stepInto(node, step, atKey && index === path.length - 1);
    if (next === undefined) return offset;
    ({ node, offset } = next);
  }
  return offset;
}

interface Place {
  readonly node: ParsedNode | null;
  readonly offset: number;
}

/** A collection is pointed at by its key, a scalar by itself: that is where the eye looks. */
function stepInto(node: ParsedNode | null, step: PropertyKey, atKey: boolean): Place | undefined {
  if (isSeq<ParsedNode>(node)) {
    const item = node.items[Number(step)];
    return item === undefined ? undefined : { node: item, offset: item.range[0] };
  }
  if (!isMap<ParsedNode, ParsedNode | null>(node)) return undefined;
  const pair = node.items.findLast(
    ({ key }) => isScalar(key) && String(key.value) === String(step),
  );
  if (pair === undefined) return undefined;
  const { key, value } = pair;
  return { node: value, offset: isScalar(value) && !atKey ? value.range[0] : key.range[0] };
}
