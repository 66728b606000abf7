import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonBroken, JsonSplitter } from '../../src/scan/json-splitter.ts';

/** Pieces are kept as text, without the space that an indent put between the tokens. */
interface Pieces {
  readonly elements: string[];
  readonly values: string[];
  readonly places: string[];
}

/** What a text is cut into when it comes in chunks of a size. */
function split(text: string, size = text.length): Pieces {
  const pieces: Pieces = { elements: [], values: [], places: [] };
  const splitter = new JsonSplitter({
    element: ({ text: piece, place: { line, column } }) => {
      pieces.elements.push(compact(piece));
      pieces.places.push(`${line}:${column}`);
    },
    value: ({ text: piece, place: { line, column } }) => {
      pieces.values.push(compact(piece));
      pieces.places.push(`${line}:${column}`);
    },
  });
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += Math.max(size, 1)) {
    splitter.write(bytes.subarray(from, from + Math.max(size, 1)));
  }
  splitter.end();
  return pieces;
}

/**
 * Not by JSON.parse: V8 of Node 24 reads some keys with escapes as a similar key that it has just
 * seen. No string of these tests holds a space.
 */
function compact(piece: string): string {
  return piece.replace(/\s/g, '');
}

const texts = (values: readonly unknown[]): string[] =>
  values.map((value) => JSON.stringify(value));

const tricky = fc.constantFrom(
  '}',
  '{',
  ']',
  '[',
  '"',
  '\\',
  '\\"',
  '"items":[',
  'é',
  '\n',
  'items',
);
const text = fc.array(tricky, { maxLength: 5 }).map((parts) => parts.join(''));
const { value: json } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    text,
    fc.integer(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  ),
}));
const object = fc.dictionary(text, json, { maxKeys: 4 });
const space = fc.constantFrom(undefined, 1, 4);

describe('cutting JSON text into pieces', () => {
  it('hands out the elements of `items`, whatever is in them and however it arrives', () => {
    fc.assert(
      fc.property(
        fc.record({ items: fc.array(object, { maxLength: 4 }), before: object, after: object }),
        space,
        fc.integer({ min: 1, max: 40 }),
        ({ items, before, after }, indent, size) => {
          fc.pre(!('items' in before) && !('items' in after));
          const value = { ...before, items, ...after };
          const { elements, values } = split(JSON.stringify(value, undefined, indent), size);
          expect(elements).toEqual(texts(items));
          expect(values).toEqual(texts([{ ...value, items: items.map(() => 0) }]));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('hands out the objects and lists of a list', () => {
    fc.assert(
      fc.property(fc.array(object), space, fc.integer({ min: 1, max: 9 }), (list, indent, size) => {
        expect(split(JSON.stringify(list, undefined, indent), size).elements).toEqual(texts(list));
      }),
    );
  });

  it.each([
    ['`items` deeper down', '{"spec":{"items":[{"a":1}]}}'],
    ['`items` as a value', '{"a":"items","b":[{"c":1}]}'],
    ['a key that ends in items', '{"x\\"items":[{"a":1}]}'],
    ['`items` that is no list', '{"items":{"a":[{}]}}'],
    ['a list after an empty `items`', '{"items":[],"b":[{"a":1}]}'],
  ])('leaves %s alone', (_title, written) => {
    for (const size of [1, 3, 100]) {
      expect(split(written, size)).toMatchObject({ elements: [], values: [compact(written)] });
    }
  });

  it('knows where each piece begins', () => {
    const written = '\n {"items": [\n  {"a": 1},\n\n    {"b": [\n2]}\n]}\n---\n[{}, {}]';
    for (const size of [1, 2, 5, 100]) {
      expect(split(written, size).places).toEqual(['3:3', '5:5', '2:2', '9:2', '9:6', '9:1']);
    }
  });

  it.each([
    ['text after a value', '{} x', '1:4'],
    ['a string', '"a"', '1:1'],
    ['a bracket too many', '{}\n}', '2:1'],
    ['an end within an object', ' {"a":1', '1:2'],
    ['an end within a string', '{"a":"1}', '1:1'],
    ['an end within an element', '{"items":[{"a":1', '1:1'],
  ])('refuses %s', (_title, written, place) => {
    try {
      split(written, 2);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(JsonBroken);
      const { line, column } = (thrown as JsonBroken).place;
      expect(`${line}:${column}`).toBe(place);
      return;
    }
    throw new Error('expected a refusal');
  });
});
