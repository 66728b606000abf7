/*
 * stream  = *( value [ "---" ] )
 * value   = object | list
 * element = what is handed out on its own: an object or a list within the list, or within `items`
 *           of the object
 *
 * One pass over the bytes that looks at strings and brackets alone; whether the pieces are JSON is
 * for JSON.parse to say, of the elements as of what is left of the value around them.
 */

import type { TextPlace } from './text-place.ts';

export interface JsonPiece {
  readonly text: string;
  /** Where it begins, the column in bytes. */
  readonly place: TextPlace;
  /** How many names of members are written in it; each has its colon. */
  readonly names: number;
}

export interface JsonPieces {
  /** An element, with what stood before it in its value. */
  element(piece: JsonPiece, before: string): void;
  /** A value, in which a 0 stands for each element that was handed out. */
  value(piece: JsonPiece): void;
}

/** What is no sequence of objects and lists, even by its brackets. */
export class JsonBroken extends Error {
  readonly place: TextPlace;

  constructor(message: string, place: TextPlace) {
    super(message);
    this.name = 'JsonBroken';
    this.place = place;
  }
}

/** What is one as far as it goes, and ends too early. */
export class JsonUnfinished extends JsonBroken {
  constructor(begin: TextPlace) {
    super('expected the JSON that begins here to end, got the end of the text within it', begin);
    this.name = 'JsonUnfinished';
  }
}

const QUOTE = 0x22;
const DASH = 0x2d;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The key before the list whose elements are handed out; looked for in so many bytes. */
const ITEMS_KEY = /(?:^|[^\\])"items"\s*:\s*$/;
const ITEMS_KEY_BYTES = 64;
const PLACEHOLDER = Buffer.from('0');

/** Cuts JSON text that comes in chunks into pieces, so that no more than one is held at a time. */
export class JsonSplitter {
  readonly #pieces: JsonPieces;
  #chunk: Buffer = Buffer.alloc(0);
  /** Bytes before the chunk. */
  #offset = 0;
  #line = 1;
  #lineStart = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Of the value, and of the element within: what earlier chunks held, and where it began. */
  #value: Buffer[] = [];
  #element: Buffer[] | undefined;
  #valuePlace: TextPlace = { line: 1, column: 1 };
  #elementPlace: TextPlace = { line: 1, column: 1 };
  #valueNames = 0;
  #elementNames = 0;
  /** How deep the list of elements is; 0 outside of one. */
  #listDepth = 0;
  /** Where in the chunk the piece that is being read goes on. */
  #from = 0;

  constructor(pieces: JsonPieces) {
    this.#pieces = pieces;
  }

  /** @throws JsonBroken, and what the receiver of the pieces throws */
  write(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#from = 0;
    let index = this.#inString ? this.#skipString(0) : 0;
    while (index < chunk.length) {
      const byte = chunk[index] ?? 0;
      if (byte === QUOTE) {
        index = this.#skipString(index + 1);
      } else {
        if (byte > SPACE || byte === LINE_FEED) this.#mark(index, byte);
        index += 1;
      }
    }
    if (this.#depth > 0) this.#current().push(Buffer.from(chunk.subarray(this.#from)));
    this.#offset += chunk.length;
  }

  /** @throws JsonUnfinished when a value has not ended */
  end(): void {
    if (this.#depth > 0) throw new JsonUnfinished(this.#valuePlace);
  }

  /** What a character outside of strings means. */
  #mark(index: number, byte: number): void {
    if (byte === LINE_FEED) this.#startLine(index);
    else if (isOpening(byte)) this.#open(index, byte);
    else if (isClosing(byte)) this.#close(index);
    else if (this.#depth === 0) {
      if (byte !== DASH) this.#refuse(index);
    } else if (byte === COLON) this.#countName();
  }

  #countName(): void {
    if (this.#element === undefined) this.#valueNames += 1;
    else this.#elementNames += 1;
  }

  /** The index behind the string, or the end of the chunk. */
  #skipString(from: number): number {
    const chunk = this.#chunk;
    if (this.#depth === 0) this.#refuse(from - 1);
    let index = from;
    if (this.#escaped) index += 1;
    this.#inString = false;
    for (; index < chunk.length; index++) {
      const byte = chunk[index];
      if (byte === QUOTE) {
        this.#escaped = false;
        return index + 1;
      }
      if (byte === BACKSLASH) index += 1;
    }
    this.#inString = true;
    this.#escaped = index > chunk.length;
    return chunk.length;
  }

  #open(index: number, byte: number): void {
    if (this.#depth === 0) {
      this.#value = [];
      this.#valueNames = 0;
      this.#valuePlace = this.#placeOf(index);
      this.#from = index;
      this.#listDepth = byte === OPEN_LIST ? 1 : 0;
    } else if (this.#element === undefined && this.#depth === this.#listDepth) {
      // A copy: a view of what stands between two elements would hold on to the whole chunk.
      this.#value.push(Buffer.from(this.#chunk.subarray(this.#from, index)));
      this.#element = [];
      this.#elementNames = 0;
      this.#elementPlace = this.#placeOf(index);
      this.#from = index;
    } else if (this.#depth === 1 && byte === OPEN_LIST && this.#followsItemsKey(index)) {
      this.#listDepth = 2;
    }
    this.#depth += 1;
  }

  #close(index: number): void {
    if (this.#depth === 0) this.#refuse(index);
    this.#depth -= 1;
    if (this.#element !== undefined) {
      if (this.#depth === this.#listDepth) this.#endElement(this.#element, index);
    } else if (this.#depth === 0) {
      const text = this.#textOf(this.#value, index);
      this.#pieces.value({ text, place: this.#valuePlace, names: this.#valueNames });
    } else if (this.#depth < this.#listDepth) {
      this.#listDepth = 0;
    }
  }

  #endElement(parts: Buffer[], index: number): void {
    const before = Buffer.concat(this.#value.slice(0, 1)).toString();
    const text = this.#textOf(parts, index);
    this.#pieces.element({ text, place: this.#elementPlace, names: this.#elementNames }, before);
    this.#element = undefined;
    this.#value.push(PLACEHOLDER);
    this.#from = index + 1;
  }

  #textOf(parts: Buffer[], index: number): string {
    const last = this.#chunk.subarray(this.#from, index + 1);
    return parts.length === 0 ? last.toString() : Buffer.concat([...parts, last]).toString();
  }

  #followsItemsKey(index: number): boolean {
    const parts = [this.#chunk.subarray(this.#from, index)];
    for (const part of this.#value.toReversed()) {
      if (parts.reduce((sum, { length }) => sum + length, 0) >= ITEMS_KEY_BYTES) break;
      parts.unshift(part);
    }
    return ITEMS_KEY.test(Buffer.concat(parts).subarray(-ITEMS_KEY_BYTES).toString('latin1'));
  }

  #current(): Buffer[] {
    return this.#element ?? this.#value;
  }

  #startLine(index: number): void {
    this.#line += 1;
    this.#lineStart = this.#offset + index + 1;
  }

  #placeOf(index: number): TextPlace {
    return { line: this.#line, column: this.#offset + index - this.#lineStart + 1 };
  }

  #refuse(index: number): never {
    throw new JsonBroken(
      'expected a JSON object or list, got something else',
      this.#placeOf(index),
    );
  }
}

function isOpening(byte: number): boolean {
  return byte === OPEN_OBJECT || byte === OPEN_LIST;
}

function isClosing(byte: number): boolean {
  return byte === CLOSE_OBJECT || byte === CLOSE_LIST;
}
