import { messageOf } from '../errors.ts';
import type { ObjectSink } from './found-object.ts';
import { JsonBroken } from './json-splitter.ts';
import type { JsonPieces } from './json-splitter.ts';
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

  element(text: string, place: TextPlace, before: string): void {
    const value = parse(text, place);
    this.#head ??= readHead(before);
    this.count += 1;
    if (this.#head.kind === undefined && textAt(value, 'kind') === undefined) {
      this.#waiting.push({ value, place });
    } else {
      this.#hand(value, place, this.#head);
    }
  }

  value(text: string, place: TextPlace): void {
    const value = parse(text, place);
    const waiting = this.#waiting;
    const isRest = this.#head !== undefined;
    this.#waiting = [];
    this.#head = undefined;
    for (const one of waiting) this.#hand(one.value, one.place, headOf(value));
    if (isRest && !isWorkload(textAt(value, 'kind'))) return;
    this.count += 1;
    this.#hand(isRest ? withoutItems(value) : value, place, UNKNOWN);
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

function parse(text: string, place: TextPlace): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const [, what, position] = POSITION.exec(messageOf(thrown)) ?? [];
    const message = `not JSON: ${what ?? messageOf(thrown)}`;
    throw new JsonBroken(message, position === undefined ? place : advance(place, text, +position));
  }
}
