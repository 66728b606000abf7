import { messageOf } from '../errors.ts';
import { countNames } from '../parse/bounded-json.ts';
import type { ObjectSink } from './found-object.ts';
import { JsonBroken } from './json-splitter.ts';
import type { JsonPiece, JsonPieces } from './json-splitter.ts';
import { findRepeatedName } from './repeated-name.ts';
import { advance } from './text-place.ts';
import type { TextPlace } from './text-place.ts';
import { isWorkload } from './workload.ts';

type ListHead = Readonly<Record<'kind' | 'apiVersion', string | undefined>>;

const UNKNOWN: ListHead = { kind: undefined, apiVersion: undefined };

/**
 * Hands on the objects of JSON text one by one. What comes from the API server names its kind once,
 * in the list; where that comes after the elements, those without a kind wait for it.
 */
export class JsonObjects implements JsonPieces {
  readonly #sink: ObjectSink;
  #head: ListHead | undefined;
  #waiting: { readonly value: unknown; readonly place: TextPlace }[] = [];
  /** Objects handed on or waiting. */
  count = 0;

  constructor(sink: ObjectSink) {
    this.#sink = sink;
  }

  element(piece: JsonPiece, before: string): void {
    const { place } = piece;
    const value = parse(piece);
    this.#head ??= readHead(before);
    this.count += 1;
    if (this.#isRepeating(piece, value)) return;
    if (this.#head.kind === undefined && textAt(value, 'kind') === undefined) {
      this.#waiting.push({ value, place });
    } else {
      this.#hand(value, place, this.#head);
    }
  }

  value(piece: JsonPiece): void {
    const { place } = piece;
    const value = parse(piece);
    const waiting = this.#waiting;
    const isRest = this.#head !== undefined;
    this.#waiting = [];
    this.#head = undefined;
    for (const one of waiting) this.#hand(one.value, one.place, headOf(value));
    if (!isRest) this.count += 1;
    if (this.#isRepeating(piece, value, isRest)) return;
    if (isRest && !isWorkload(textAt(value, 'kind'))) return;
    this.#hand(isRest ? withoutItems(value) : value, place, UNKNOWN);
  }

  /** Says so: of two members of one name readers take the first, the last, or something of both. */
  #isRepeating({ text, place, names }: JsonPiece, value: unknown, isRest = false): boolean {
    const repeated = names > countNames(value) ? findRepeatedName(text) : undefined;
    if (repeated === undefined) return false;
    const message = `expected each name once in an object, got ${JSON.stringify(repeated.name)} again`;
    // Around elements that were handed out before nothing stands where it stood.
    const at = isRest ? place : advance(place, text, repeated.offset);
    this.#sink.problem({ ...at, message });
    return true;
  }

  #hand(value: unknown, place: TextPlace, head: ListHead): void {
    this.#sink.object({ value, ...head, locate: () => place });
  }
}

/** What a list says before its first element; nothing when that cannot be told. */
function readHead(before: string): ListHead {
  try {
    return headOf(JSON.parse(before.startsWith('[') ? `${before}]` : `${before}]}`));
  } catch {
    return UNKNOWN;
  }
}

function headOf(value: unknown): ListHead {
  return { kind: textAt(value, 'kind'), apiVersion: textAt(value, 'apiVersion') };
}

/** A list that is a workload too; what stood in the list was handed on before. */
function withoutItems(value: unknown): unknown {
  return { ...(value as object), items: undefined };
}

function textAt(value: unknown, key: string): string | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  const text = (value as Record<string, unknown>)[key];
  return typeof text === 'string' ? text : undefined;
}

/** Where V8 says a text is broken, for those of its messages that say so. */
const POSITION = /^(.*) at position (\d+)/s;

function parse({ text, place }: JsonPiece): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const [, what, position] = POSITION.exec(messageOf(thrown)) ?? [];
    const message = `not JSON: ${what ?? messageOf(thrown)}`;
    throw new JsonBroken(message, position === undefined ? place : advance(place, text, +position));
  }
}
