import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { describeProblem } from '../../src/errors.ts';
import type { Problem } from '../../src/errors.ts';
import { readObjects } from '../../src/scan/read-objects.ts';

interface Read {
  readonly objects: { value: unknown; kind: string | undefined; place: string }[];
  readonly problems: Omit<Problem, 'file'>[];
}

function* chunks(bytes: Buffer, size: number): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function read(text: string | Buffer, size = 7): Promise<Read> {
  const found: Read = { objects: [], problems: [] };
  await readObjects(Readable.from(chunks(Buffer.from(text), size)), {
    object: ({ value, kind, locate }) => {
      const { line, column } = locate(['kind']);
      found.objects.push({ value, kind, place: `${line ?? 0}:${column ?? 0}` });
    },
    problem: (problem) => found.problems.push(problem),
  });
  return found;
}

const values = async (text: string | Buffer): Promise<unknown[]> =>
  (await read(text)).objects.map(({ value }) => value);

describe('reading objects', () => {
  it.each([
    ['one JSON object', '{"kind":"A"}'],
    ['JSON after blanks', '\n\n  {"kind":"A"}\n'],
    ['JSON after a byte order mark', '\uFEFF{"kind":"A"}'],
    ['a YAML document', 'kind: A\n'],
    ['a YAML document after a comment', '# a comment\n---\nkind: A\n'],
    ['YAML after a byte order mark', '\uFEFFkind: A'],
    ['YAML that looks like JSON', '{kind: A}'],
    ['JSON with a comma too many, which is YAML', '{"kind":"A",}'],
  ])('reads %s', async (_title, text) => {
    expect(await read(text)).toMatchObject({ objects: [{ value: { kind: 'A' } }], problems: [] });
  });

  it.each([
    ['JSON objects one after the other', '{"kind":"A"}\n{"kind":"B"}'],
    ['JSON objects between dashes', '---\n{"kind":"A"}\n---\n{"kind":"B"}\n'],
    ['a JSON list', '[{"kind":"A"},{"kind":"B"}]'],
    ['the items of JSON', '{"kind":"List","items":[{"kind":"A"},{"kind":"B"}]}'],
    ['YAML documents', 'kind: A\n---\nkind: B\n...\n'],
    ['a YAML document with JSON in it', 'kind: A\n---\n{"kind":"B"}'],
  ])('reads %s', async (_title, text) => {
    expect(await values(text)).toEqual([{ kind: 'A' }, { kind: 'B' }]);
  });

  it('reads nothing from nothing', async () => {
    expect(await read('')).toEqual({ objects: [], problems: [] });
    expect(await read(' \n')).toMatchObject({ problems: [] });
  });

  it.each([
    ['before', '{"kind":"PodList","apiVersion":"v1","items":[{"a":1},{"b":2}]}'],
    ['after', '{"items":[{"a":1},{"b":2}],"kind":"PodList","apiVersion":"v1"}'],
  ])('tells items the kind of their list when it stands %s them', async (_title, text) => {
    expect((await read(text)).objects).toMatchObject([
      { value: { a: 1 }, kind: 'PodList' },
      { value: { b: 2 }, kind: 'PodList' },
    ]);
  });

  it.each([
    ['before', '{"kind":"Pod","spec":{},"items":[{"a":1}]}'],
    ['after', '{"items":[{"a":1}],"spec":{},"kind":"Pod"}'],
  ])('reads items and the workload around them when its kind stands %s them', async (_t, text) => {
    const { objects } = await read(text);
    expect(objects).toMatchObject([
      { value: { a: 1 }, kind: 'Pod' },
      { value: { kind: 'Pod', spec: {} }, place: '1:1' },
    ]);
  });

  it.each([
    ['an object', '{"kind":"A",\n "spec":{},"spec":{"a":1}}', '2:12', 'spec'],
    ['an object within', '{"spec":{"a":[{"b":1,"b":1}]}}', '1:22', 'b'],
    ['an object, once by an escape', '{"spec":1,"sp\\u0065c":1}', '1:11', 'spec'],
    ['an object behind a text with a colon', '{"a":"\\":{\\"","a":1}', '1:15', 'a'],
    ['an element', '[{"a":{"b":1}},\n {"c":1,"c":1}]', '2:9', 'c'],
    ['a list', '{"items":[{"b":1}],\n"kind":"X","items":[{"kind":"Y"}]}', '1:1', 'items'],
    ['an object, __proto__', '{"__proto__":{},"__proto__":1}', '1:17', '__proto__'],
  ])('says where JSON has a name twice, in %s', async (_title, text, place, name) => {
    const { objects, problems } = await read(`${text} {"kind":"B"}`);
    expect(objects.at(-1)?.value).toEqual({ kind: 'B' });
    const message = `expected each name once in an object, got "${name}" again`;
    expect(problems.map(describeProblem)).toEqual([`${place}: ${message}`]);
  });

  it.each([
    ['in different objects', '{"a":{"a":[{"a":1},{"a":1}]},"b":{"a":1}}'],
    ['as a text', '{"a":"a","b":["a","a"],"c":"\\"a\\":"}'],
    ['in two cases', '{"a":1,"A":1}'],
  ])('reads names that stand twice %s', async (_title, text) => {
    expect(await read(text)).toMatchObject({
      objects: [{ value: JSON.parse(text) as unknown }],
      problems: [],
    });
  });

  it('fills in what YAML merges and aliases stand for', async () => {
    const text = 'base: &b { image: nginx }\nmerged: { <<: *b, name: x }\nalias: *b\n';
    expect(await values(text)).toEqual([
      {
        base: { image: 'nginx' },
        merged: { image: 'nginx', name: 'x' },
        alias: { image: 'nginx' },
      },
    ]);
  });

  it.each([
    ['keys behind a merge', 'a: &a { k: 1, l: 1 }\nb: { <<: *a, k: 2 }\n', { k: 2, l: 1 }],
    ['a merge of other keys behind keys', 'a: &a { l: 1 }\nb: { k: 2, <<: *a }\n', { k: 2, l: 1 }],
    [
      'several merges in a list, the first before the others',
      'a: &a { k: 1 }\nx: &x { k: 2, l: 2 }\nb: { <<: [*a, *x] }\n',
      { k: 1, l: 2 },
    ],
    [
      'a merge of what merges',
      'a: &a { k: 1 }\nx: &x { <<: *a }\nb: { <<: *x, l: 1 }\n',
      { k: 1, l: 1 },
    ],
    [
      'two merges of different keys',
      'a: &a { k: 1 }\nb: { <<: *a, <<: { l: 1 } }\n',
      { k: 1, l: 1 },
    ],
    ['a merge key with an anchor', 'a: &a { k: 1 }\nb: { &m <<: *a }\n', { k: 1 }],
    [
      'a key that is << in quotes',
      'a: &a { k: 1 }\nb: { k: 2, "<<": *a }\n',
      { k: 2, '<<': { k: 1 } },
    ],
    [
      'a merge of __proto__',
      'a: &a { __proto__: 1 }\nb: { <<: *a }\n',
      JSON.parse('{"__proto__":1}'),
    ],
  ])('reads as kubectl does %s', async (_title, text, b: unknown) => {
    const { objects, problems } = await read(text);
    expect(problems).toEqual([]);
    expect(objects).toMatchObject([{ value: { b } }]);
  });

  it.each([
    ['a merge behind a key that it gives', '{ k: 2, <<: *a }', 12, '"k" before it'],
    ['a second merge of one key', '{ <<: *a, <<: *a }', 14, '"k" before it'],
    ['a merge behind keys within a merge', '{ <<: { k: 2, <<: *a } }', 18, '"k" before it'],
    ['a merge by way of another behind a key', '{ k: 2, <<: { <<: *a } }', 12, '"k" before it'],
    ['a list of merges behind a key', '{ k: 2, <<: [{ l: 1 }, *a] }', 12, '"k" before it'],
    [
      'a merge of __proto__ behind it',
      '{ __proto__: 1, <<: { __proto__: 2 } }',
      20,
      '"__proto__" before it',
    ],
    ['a merge by its tag', '{ !!merge "<<": *a }', 14, 'without a tag'],
    ['a merge by its whole tag', '{ !<tag:yaml.org,2002:merge> m: *a }', 33, 'without a tag'],
    ['a merge with the tag of a text', '{ !!str <<: *a }', 12, 'without a tag'],
    ['a merge with the tag of nothing', '{ ! <<: *a }', 8, 'without a tag'],
  ])('refuses what kubectl may read otherwise: %s', async (_title, text, column, what) => {
    const { objects, problems } = await read(`a: &a { k: 1 }\nb: ${text}\n---\nkind: B\n`);
    expect(objects).toMatchObject([{ value: { kind: 'B' } }]);
    expect(problems).toEqual([
      {
        line: 2,
        column,
        message: expect.stringContaining(what),
        hint: expect.stringContaining('<<'),
      },
    ]);
  });

  it.each([
    ['CR alone', '\r', 'U+000D'],
    ['NEL', '\u0085', 'U+0085'],
    ['LS', '\u2028', 'U+2028'],
    ['PS', '\u2029', 'U+2029'],
  ])('refuses a line of YAML that only kubectl lets end, by %s', async (_title, end, code) => {
    expect(await read(`kind: A\r\n# comment${end}hidden: 1\n`)).toEqual({
      objects: [],
      problems: [
        {
          ...{ line: 2, column: 10 },
          message: expect.stringContaining(code),
          hint: expect.stringContaining('by LF'),
        },
      ],
    });
    expect((await read(`{kind: A} #${end}`)).problems).toHaveLength(1);
  });

  it.each([
    ['in a text of JSON', '{"kind":"\u0085\u2028\u2029"}', '\u0085\u2028\u2029'],
    ['between parts of JSON', '{"kind":\r"A"}\r', 'A'],
    ['as escapes', 'kind: "\\r\\N\\L\\P"\r\n', '\r\u0085\u2028\u2029'],
  ])('reads other ends of lines %s', async (_title, text, kind) => {
    expect(await read(text)).toMatchObject({ objects: [{ value: { kind } }], problems: [] });
  });

  it('knows lines and columns', async () => {
    expect((await read('a: 1\n---\n\nb: 1\nkind:  X\n')).objects[1]?.place).toBe('5:8');
    expect((await read('{"items":[\n {},\n  {}\n]}')).objects[1]?.place).toBe('3:3');
  });

  it('reads on after a broken YAML document', async () => {
    const { objects, problems } = await read('kind: A\n---\nkind: [\n---\nkind: C\n');
    expect(objects.map(({ value }) => value)).toEqual([{ kind: 'A' }, { kind: 'C' }]);
    expect(problems).toEqual([
      { line: 4, column: 1, message: expect.stringMatching(/^not YAML: f/) },
    ]);
  });

  it.each([
    ['a key that stands twice', 'kind: A\nkind: B\n', 2, 1],
    ['tabs for indentation', 'a:\n\tb: 1\n', 2, 1],
    ['JSON that ends too early', '{"items":[{"a":1}', 1, 1],
    ['JSON that is broken in an element', '{"items":[{},\n{"a":x}]}', 2, undefined],
    ['JSON with something after it', '{}\nx', 2, 1],
    ['an alias for nothing', 'a: *b\n', 1, 1],
  ])('says where %s is broken', async (_title, text, line, column) => {
    const { problems } = await read(text);
    expect(problems).toMatchObject([{ line, ...(column !== undefined && { column }) }]);
  });

  it.each([
    ['within its first item', '{\n"apiVersion": "v1",\n"items": [\n{\n"kind": "Pod",\n"spec": {'],
    ['within a text', '{"apiVersion": "v1", "items": [{"kind": "P'],
    ['behind an item', '{"items":[{"a":1}'],
    ['as a list', '[{"kind": "Pod",'],
  ])('says of JSON that was cut off %s that it ends too early', async (_title, text) => {
    expect(await read(text)).toEqual({
      objects: [],
      problems: [
        { line: 1, column: 1, message: expect.stringMatching(/^expected the JSON .* the end of/) },
      ],
    });
  });

  it.each<[string, string, number, RegExp[]]>([
    ['a quote in a word', '{kind: A"}', 1, []],
    ['a second document that is none', '{kind: A"}\n---\na: [', 1, [/^not YAML/]],
    ['a bracket too many', '{"kind":"A"]]', 0, [/^not YAML/]],
    ['a comma for a colon', '{"kind","A": [}}}', 0, [/^not YAML/]],
  ])('reads YAML with %s as YAML', async (_title, text, count, messages) => {
    const { objects, problems } = await read(text);
    expect(objects).toHaveLength(count);
    expect(problems.map(({ message }) => message)).toEqual(
      messages.map((message) => expect.stringMatching(message)),
    );
  });

  it('finds the place within a JSON object where V8 tells it', async () => {
    const { problems } = await read('{"items":[{},\n  {"a": 1,\n "b" 2}]}');
    expect(problems).toMatchObject([{ line: 3, column: 6 }]);
  });

  it.each([
    [
      'aliases that multiply',
      `a: &a [${'x,'.repeat(99)}]\nb: &b [${'*a,'.repeat(99)}]\nc: [${'*b,'.repeat(99)}]`,
    ],
    ['brackets without end', '- '.repeat(50_000)],
  ])('survives %s', async (_title, text) => {
    const { problems } = await read(text, 1024 * 1024);
    expect(problems).toHaveLength(1);
  });

  it('reads JSON that is deeper than the stack', async () => {
    const text = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
    const { objects, problems } = await read(text, 1024 * 1024);
    expect([objects.length, problems]).toEqual([1, []]);
  });

  it('says that it cannot read UTF-16', async () => {
    const { problems } = await read(Buffer.from('\uFEFF{"kind":"A"}', 'utf16le'));
    expect(problems).toMatchObject([{ message: 'expected UTF-8, got UTF-16' }]);
  });

  it('does not hold a long list', async () => {
    const item = Buffer.from(`{"kind":"A","pad":"${'x'.repeat(100_000)}"},`);
    let most = 0;
    let given = 0;
    let count = 0;
    function* long(): Generator<Buffer> {
      yield Buffer.from('{"items":[');
      for (; given < 500; given++) yield item;
      yield Buffer.from('{"kind":"A"}]}');
    }
    await readObjects(Readable.from(long()), {
      object: () => {
        count += 1;
        most = Math.max(most, given - count);
      },
      problem: ({ message }) => {
        throw new Error(message);
      },
    });
    expect([count, most]).toEqual([501, 0]);
  });
});
