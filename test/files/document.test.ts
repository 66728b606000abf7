import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import type { Problem } from '../../src/errors.ts';
import { readDocument } from '../../src/files/document.ts';

const schema = z.strictObject({
  name: z.string().min(2).max(5).optional(),
  count: z.int().min(1).max(9).optional(),
  on: z.literal(true).optional(),
  level: z.enum(['low', 'high']).default('low'),
  items: z.array(z.strictObject({ key: z.string() })).optional(),
  words: z.array(z.string()).optional(),
  labels: z
    .record(
      z
        .string()
        .min(1)
        .refine((key) => key !== 'no', 'nobody reads this key'),
      z.string(),
    )
    .optional(),
  nested: z
    .strictObject({ inner: z.strictObject({ leaf: z.boolean() }).prefault({ leaf: true }) })
    .optional(),
});

function problems(text: string): readonly Problem[] {
  const read = readDocument({ file: 'file.yaml', text }, schema);
  return read.ok ? [] : read.problems;
}

function place({ line, column, message, hint }: Problem): string {
  const at = `${line ?? '?'}:${column ?? '?'} ${message}`;
  return hint === undefined ? at : `${at} [${hint}]`;
}

describe('a document', () => {
  it.each([
    ['block style', 'name: abc\nitems:\n  - key: x\n'],
    ['flow style', '{ name: abc, items: [{ key: x }] }'],
    ['JSON', '{"name":"abc","items":[{"key":"x"}]}'],
    ['JSON indented by tabs', '{\n\t"name": "abc",\n\t"items": [\n\t\t{ "key": "x" }\n\t]\n}\n'],
    ['comments', '# one\nname: abc # two\nitems: # three\n  # four\n  - key: x\n'],
    ['line ends of Windows', 'name: abc\r\nitems:\r\n  - key: x\r\n'],
    ['a byte order mark', '\ufeffname: abc\nitems:\n  - key: x\n'],
    ['the markers of one document', '---\nname: abc\nitems:\n  - key: x\n...\n'],
    ['a version', '%YAML 1.2\n---\nname: abc\nitems: [{ key: x }]\n'],
    ['quoted keys', '"name": \'abc\'\n"items": [{ "key": x }]\n'],
    ['an alias', 'name: &n abc\nitems: [{ key: *n }]\n'],
  ])('may have %s', (title, text) => {
    const key = title === 'an alias' ? 'abc' : 'x';
    expect(readDocument({ file: 'file.yaml', text }, schema)).toEqual({
      ok: true,
      value: { name: 'abc', level: 'low', items: [{ key }] },
    });
  });

  it.each([
    ['a wrong type', 'name: 1\n', '1:7 name: expected a string, got 1 [put it in quotes]'],
    ['a boolean', 'name: true\n', '1:7 name: expected a string, got true [put it in quotes]'],
    ['nothing', 'name:\n', '1:6 name: expected a string, got null'],
    ['a list', 'name: [a]\n', '1:1 name: expected a string, got a list'],
    ['an empty list', 'name: []\n', '1:1 name: expected a string, got an empty list'],
    ['a mapping', 'name: { a: b }\n', '1:1 name: expected a string, got a mapping'],
    ['a short text', 'name: a\n', '1:7 name: expected at least 2 characters, got "a"'],
    ['a long text', 'name: abcdef\n', '1:7 name: expected at most 5 characters, got "abcdef"'],
    ['a fraction', 'count: 1.5\n', '1:8 count: expected a whole number, got 1.5'],
    ['a small number', 'count: 0\n', '1:8 count: expected at least 1, got 0'],
    ['a large number', 'count: 10\n', '1:8 count: expected at most 9, got 10'],
    [
      'a switch that does nothing',
      'on: false\n',
      '1:5 on: expected true, got false [leave the key out, false would do nothing]',
    ],
    [
      'a word that is none of a choice',
      'level: hihg\n',
      '1:8 level: expected "low" or "high", got "hihg" [did you mean "high"?]',
    ],
    [
      'an item for a list',
      'items: { key: x }\n',
      '1:1 items: expected a list, got a mapping [put "- " before its first key: each item of a list begins with one]',
    ],
    ['a mapping for a list', 'items: { a: x }\n', '1:1 items: expected a list, got a mapping'],
    ['text for a list of mappings', 'items: x\n', '1:8 items: expected a list, got "x"'],
    ['nothing for a list', 'items:\n', '1:7 items: expected a list, got null'],
    ['a text for a list', 'words: "*"\n', '1:8 words: expected a list, got "*" [write ["*"]]'],
    [
      'texts parted by commas for a list',
      'words: a, b,c\n',
      '1:8 words: expected a list, got "a, b,c" [write ["a", "b", "c"]]',
    ],
    [
      'many texts for a list',
      'words: a,b,c,d,e,f,g,h,i,j,k\n',
      '1:8 words: expected a list, got "a,b,c,d,e,f,g,h,i,j,k"',
    ],
    ['a number for a list', 'words: 1\n', '1:8 words: expected a list, got 1'],
    ['text for a mapping', 'nested: x\n', '1:9 nested: expected a mapping, got "x"'],
    ['a missing key', 'items:\n  - {}\n', '2:5 items[0].key is missing: expected a string'],
    ['an unknown key', 'nmae: abc\n', '1:1 unknown key "nmae" [did you mean "name"?]'],
    [
      'an unknown key that is near nothing',
      'items:\n  - key: x\n    signatures: []\n',
      '3:5 unknown key "signatures" [known here: key]',
    ],
    [
      'an unknown key below a default',
      'nested:\n  inner:\n    laef: true\n    leaf: true\n',
      '3:5 unknown key "laef" [did you mean "leaf"?]',
    ],
    [
      'a wrong type far down',
      'nested:\n  inner:\n    leaf: "yes"\n',
      '3:11 nested.inner.leaf: expected true or false, got "yes"',
    ],
    [
      'a number in quotes',
      'count: "5"\n',
      '1:8 count: expected a number, got "5" [write it without quotes]',
    ],
    ['a number with a unit', 'count: 5s\n', '1:8 count: expected a number, got "5s"'],
    [
      'a switch in quotes',
      'nested: { inner: { leaf: "true" } }\n',
      '1:26 nested.inner.leaf: expected true or false, got "true" [write it without quotes]',
    ],
    [
      'the other switch in quotes',
      'nested: { inner: { leaf: "false" } }\n',
      '1:26 nested.inner.leaf: expected true or false, got "false" [write it without quotes]',
    ],
    [
      'an alias of nothing behind a good one',
      'name: &n abc\nitems: [{ key: *n }, { key: *m }]\n',
      '2:29 not YAML: unresolved alias (the anchor must be set before the alias): m; a text that begins with "*" has to be in quotes',
    ],
    [
      'a tab before an item',
      'items:\n\t- key: x\n',
      '2:1 not YAML: tabs are not allowed as indentation [indent with spaces]',
    ],
    [
      'a key without a colon',
      'name: abc\nitems\n  - key: x\n',
      '2:1 not YAML: implicit keys need to be on a single line [is a ":" with a space behind it missing here, or is the line below indented too far?]',
    ],
    [
      'a key without a space behind its colon',
      'name:abc\nlevel: low\n',
      '1:1 not YAML: implicit keys need to be on a single line [is a ":" with a space behind it missing here, or is the line below indented too far?]',
    ],
    [
      'the same in braces',
      'items: [{key:x, key: y}]\n',
      '1:10 unknown key "key:x" [put a space behind "key:"]',
    ],
    [
      'an item without a space behind its dash',
      'items:\n  -key: x\n',
      '1:1 items: expected a list, got a mapping [put a space behind the "-" of "-key"]',
    ],
    [
      'a line that is indented too far',
      'name: abc\n  level: low\n',
      '1:7 not YAML: nested mappings are not allowed in compact mappings [where the text holds ": ", put it in quotes; else the line below is indented too far]',
    ],
    [
      'a line that is indented too little',
      'items:\n    - key: x\n     name: y\n',
      '3:6 not YAML: sequence item without - indicator [what belongs together, the keys of a mapping or the "-" of a list, begins at one column]',
    ],
    [
      'items at different columns',
      'items:\n   - key: x\n  - key: y\n',
      '3:3 not YAML: a block sequence may not be used as an implicit map key [what belongs together, the keys of a mapping or the "-" of a list, begins at one column]',
    ],
    [
      'a colon within a text',
      'name: a: b\n',
      '1:7 not YAML: nested mappings are not allowed in compact mappings [where the text holds ": ", put it in quotes; else the line below is indented too far]',
    ],
    [
      'a quote that is not closed, where it opens',
      'level: low\nname: "abc\nitems: []\n',
      '2:7 not YAML: missing closing "quote [close the text that begins here by the quote that it begins with]',
    ],
    [
      'a quote within quotes',
      "name: 'don't'\n",
      `1:12 not YAML: unexpected scalar at node end [put the whole text in quotes; a ' within '...' is written twice]`,
    ],
    [
      'a bracket that is not closed',
      'words: [a, b\nname: abc\n',
      '2:1 not YAML: flow sequence in block collection must be sufficiently indented and end with a ] [close every { by } and every [ by ]]',
    ],
    [
      'a brace that is not closed',
      '{"name": ',
      '1:10 not YAML: flow map must end with a } [close every { by } and every [ by ]]',
    ],
    [
      'a text that begins with a reserved character',
      'name: @abc\n',
      '1:7 not YAML: plain value cannot start with reserved character @ [put the whole text in quotes]',
    ],
    [
      'a backslash within double quotes',
      'name: "a\\q"\n',
      `1:9 not YAML: invalid escape sequence \\q [write a backslash within "..." twice, or use '...']`,
    ],
    [
      'what there is no advice about',
      'name: |abc\n',
      '1:8 not YAML: block scalar header includes extra characters: |abc [look here and in the line above for a missing ":", quotes and indentation]',
    ],
    [
      'a literal in quotes',
      'on: "true"\n',
      '1:5 on: expected true, got "true" [write it without quotes]',
    ],
    ['a key twice', 'name: abc\nname: abc\n', '2:1 expected each key once, got this one again'],
    [
      'a key twice in JSON',
      '{"name":"abc","name":"abd"}',
      '1:15 expected each key once, got this one again',
    ],
    [
      'a second document',
      'name: abc\n---\nname: x\n',
      '2:1 expected one YAML document, got another one',
    ],
    [
      'an empty second document',
      'name: abc\n---\n',
      '2:1 expected one YAML document, got another one',
    ],
    [
      'a document after the end',
      'name: abc\n...\ncount: 1\n',
      '3:1 expected one YAML document, got another one',
    ],
    [
      'an unknown tag',
      'name: !secret abc\n',
      '1:7 not YAML: unresolved tag: !secret [where a text begins with "!", put it in quotes; tags are not known here]',
    ],
    [
      'a tag that would run code',
      'name: !!js/function "x"\n',
      '1:7 not YAML: unresolved tag: tag:yaml.org,2002:js/function [where a text begins with "!", put it in quotes; tags are not known here]',
    ],
    [
      'an alias of nothing',
      'level: low\nname: *nobody\n',
      '2:7 not YAML: unresolved alias (the anchor must be set before the alias): nobody; a text that begins with "*" has to be in quotes',
    ],
    [
      'an alias before its anchor',
      'items: [{ key: *later }]\nname: &later abc\n',
      '1:16 not YAML: unresolved alias (the anchor must be set before the alias): later; a text that begins with "*" has to be in quotes',
    ],
    [
      'a tab for indentation',
      'nested:\n\tinner: {}\n',
      '2:1 not YAML: tabs are not allowed as indentation [indent with spaces]',
    ],
    [
      'an empty key among free ones',
      'labels: { a: x, "": y }\n',
      '1:17 labels: expected at least 1 character in each key, got ""',
    ],
    [
      'a free key that is refused',
      'labels:\n  no: x\n',
      '2:3 labels: nobody reads this key, got "no"',
    ],
    ['an empty file', '', '1:1 the document: expected a mapping, got null'],
    ['comments alone', '# nothing\n\n', '1:1 the document: expected a mapping, got null'],
    ['a list at the top', '- name: abc\n', '1:1 the document: expected a mapping, got a list'],
    ['text at the top', 'abc\n', '1:1 the document: expected a mapping, got "abc"'],
    [
      'the key __proto__',
      '__proto__: { name: abc }\n',
      '1:1 unknown key "__proto__" [known here: name, count, on, level, items, words, labels, nested]',
    ],
    [
      'the key constructor',
      'items:\n  - key: x\n    constructor: y\n',
      '3:5 unknown key "constructor" [known here: key]',
    ],
    [
      'a number for a key',
      '1: x\n',
      '1:1 unknown key "1" [known here: name, count, on, level, items, words, labels, nested]',
    ],
    [
      'a mapping for a key',
      '? { a: b }\n: c\n',
      '1:3 not YAML: with stringKeys, all keys must be strings [write a text before the ":"]',
    ],
    [
      'a merge key',
      'items: [{ <<: { key: x }, key: y }]\n',
      '1:11 unknown key "<<" [known here: key]',
    ],
    [
      'line ends of Windows',
      'level: low\r\nnested:\r\n  inner:\r\n    leaf: 1\r\n',
      '4:11 nested.inner.leaf: expected true or false, got 1',
    ],
    [
      'a byte order mark',
      '\ufefflevel: low\nnmae: abc\n',
      '2:1 unknown key "nmae" [did you mean "name"?]',
    ],
    [
      'letters of two units before it',
      'name: "a😀" \nlevel: 1\n',
      '2:8 level: expected "low" or "high", got 1',
    ],
  ])('is refused with place and hint: %s', (_title, text, expected) => {
    expect(problems(text).map(place)).toEqual([expected]);
    expect(problems(text)[0]?.file).toBe('file.yaml');
  });

  it('is refused when its aliases multiply', () => {
    const levels = Array.from('bcdefghij', (name, at) => {
      const before = String.fromCharCode(name.charCodeAt(0) - 1);
      return `${name}: &${name} [${Array(10).fill(`*${before}`).join(', ')}] # ${at}`;
    });
    const [problem, ...more] = problems(['a: &a [x]', ...levels].join('\n'));
    expect(more).toEqual([]);
    expect(problem).toMatchObject({
      line: 2,
      column: 8,
      message: 'not YAML: excessive alias count indicates a resource exhaustion attack',
    });
  });

  it('is refused when it holds itself', () => {
    expect(problems('items: &i [*i]\n').map(place)).toEqual([
      '1:12 items[0]: expected a mapping, got a list',
    ]);
  });

  it('has all its mistakes told at once, in the order of the text', () => {
    const text = [
      'nested: { inner: { leaf: 1, laef: true } }',
      'level: hihg',
      'items:',
      '  - kye: x',
      '  - key: 5',
      'on: false',
      'nmae: abc',
    ].join('\n');
    expect(problems(text).map(place)).toEqual([
      '1:26 nested.inner.leaf: expected true or false, got 1',
      '1:29 unknown key "laef" [did you mean "leaf"?]',
      '2:8 level: expected "low" or "high", got "hihg" [did you mean "high"?]',
      '4:5 items[0].key is missing: expected a string',
      '4:5 unknown key "kye" [did you mean "key"?]',
      '5:10 items[1].key: expected a string, got 5 [put it in quotes]',
      '6:5 on: expected true, got false [leave the key out, false would do nothing]',
      '7:1 unknown key "nmae" [did you mean "name"?]',
    ]);
  });

  it('has all its mistakes of syntax told at once', () => {
    const text = 'name: abc\nname: abd\nlevel: !x low\n---\na: 1\n';
    expect(problems(text).map(({ line }) => line)).toEqual([2, 4, 3]);
  });

  it.each([
    [
      'a key twice',
      'level: high\nlevel: hihg\nname: 1\n',
      [
        '2:1 expected each key once, got this one again',
        '2:8 level: expected "low" or "high", got "hihg" [did you mean "high"?]',
        '3:7 name: expected a string, got 1 [put it in quotes]',
      ],
    ],
    [
      'a mapping twice',
      'nested: {}\nnested: { inner: { leaf: 1 } }\n',
      [
        '2:1 expected each key once, got this one again',
        '2:26 nested.inner.leaf: expected true or false, got 1',
      ],
    ],
    [
      'a second document',
      'name: 1\n---\ncount: x\n',
      [
        '1:7 name: expected a string, got 1 [put it in quotes]',
        '2:1 expected one YAML document, got another one',
      ],
    ],
    [
      'a key twice and an alias of nothing',
      'name: abc\nname: *nobody\n',
      [
        '2:1 expected each key once, got this one again',
        '2:7 not YAML: unresolved alias (the anchor must be set before the alias): nobody; a text that begins with "*" has to be in quotes',
      ],
    ],
    [
      'a key twice and a tag',
      'name: !x 1\nname: 2\n',
      [
        '2:1 expected each key once, got this one again',
        '1:7 not YAML: unresolved tag: !x [where a text begins with "!", put it in quotes; tags are not known here]',
      ],
    ],
  ])('has the mistakes beside %s told too', (_title, text, expected) => {
    expect(problems(text).map(place)).toEqual(expected);
  });

  it('leaves no trace on what every object inherits', () => {
    problems('__proto__: { polluted: true }\nconstructor: { prototype: { polluted: true } }\n');
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('shows long values in little', () => {
    const [problem] = problems(`level: ${'x'.repeat(10_000)}\n`);
    expect(problem?.message.length).toBeLessThan(150);
  });

  it('is read or refused with a place within it, whatever the text', () => {
    const unit = fc.constantFrom(
      ...['name', 'level', 'items', 'nested', 'inner', 'leaf', 'low', 'true', '1'],
      ...[': ', ':', '\n', '\r\n', '  ', '- ', '{', '}', '[', ']', ',', '"', "'", '#', '?', '|'],
      ...['&a', '*a', '!t', '!!str', '---', '...', '%', '@', '`', '\t', '\ufeff', '\u2028', '<<'],
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 15 }), (text) => {
        for (const { line, column, message } of problems(text)) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(text.split('\n').length + 1);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(message).not.toBe('');
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
