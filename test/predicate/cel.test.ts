import { describe, expect, it } from '@jest/globals';
import { compileCel } from '../../src/predicate/cel.ts';
import { cel } from '../support/cel.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');

function refusalOf(source: string, predicate: unknown): string | undefined {
  return cel(source).refusal(predicate, NOW);
}

function mistakesOf(source: string): readonly string[] {
  const compiled = compileCel(source);
  return compiled.ok ? [] : compiled.mistakes.map(({ message }) => message);
}

const PROVENANCE = {
  builder: { id: 'https://builder.example.com' },
  materials: [{ uri: 'git+https://git.example.com/a' }, { uri: 'git+https://git.example.com/b' }],
  count: 3,
  share: 0.5,
  reproducible: true,
  nothing: null,
  finished: '2026-11-26T12:00:00Z',
  __proto__x: 1,
};

describe('an expression over a predicate', () => {
  it.each([
    'predicate.builder.id == "https://builder.example.com"',
    'predicate["builder"]["id"].startsWith("https://")',
    'predicate.materials.all(m, m.uri.startsWith("git+https://git.example.com/"))',
    'predicate.materials.exists(m, m.uri.endsWith("/b"))',
    'predicate.materials.exists_one(m, m.uri.contains("/a"))',
    'predicate.materials.map(m, m.uri) == ["git+https://git.example.com/a", "git+https://git.example.com/b"]',
    'predicate.materials.map(m, m.uri.endsWith("/b"), m.uri).size() == 1',
    'predicate.materials.filter(m, m.uri.endsWith("/b"))[0].uri.endsWith("/b")',
    'size(predicate.materials) == 2 && predicate.materials.size() > 1',
    'predicate.count == 3 && predicate.count > 2 && predicate.count <= 3.0',
    'int(predicate.count) + 1 == 4',
    'predicate.share < 1.0',
    'predicate.reproducible',
    'predicate.nothing == null',
    'has(predicate.builder.id) && !has(predicate.builder.version)',
    '"builder" in predicate && !("toString" in predicate)',
    'predicate.builder.id.matches("^https://[a-z.]+$")',
    'timestamp(predicate.finished) > now - duration("48h")',
    'predicate.missing == 1 || predicate.count == 3',
    'predicate.all(key, key != "evil")',
    'predicate == predicate',
    'type(predicate.count) == double',
    '{"a": predicate.count}["a"] == 3',
    'predicate.count > 1 ? predicate.reproducible : false',
  ])('is met: %s', (source) => {
    expect(refusalOf(source, PROVENANCE)).toBeUndefined();
  });

  it.each([
    ['predicate.builder.id == "https://builder.example.com/"', 'is not true'],
    ['predicate.materials.all(m, m.uri.endsWith("/a"))', 'is not true'],
    ['predicate.materials.exists(m, m.uri == "git")', 'is not true'],
    ['predicate.builder.id.matches("^builder$")', 'is not true'],
    ['predicate.share == 1', 'is not true'],
    ['predicate.share == "0.5"', 'is not true'],
    ['predicate.builder', 'expected true or false, got map'],
    ['predicate.builder.id', 'expected true or false, got string'],
    ['predicate.count', 'expected true or false, got double'],
    ['predicate.nothing', 'expected true or false, got null_type'],
    ['predicate.missing == 1', 'cannot be evaluated: field not found: missing'],
    ['predicate.builder.id.uri == 1', 'cannot be evaluated: '],
    ['predicate.constructor != null', 'cannot be evaluated: field not found: constructor'],
    ['predicate.__proto__ != null', 'cannot be evaluated: field not found: __proto__'],
    ['predicate.materials[2].uri == ""', 'cannot be evaluated: index 2 out of bounds'],
    ['predicate.count + 1 == 4', 'cannot be evaluated: found no matching overload'],
    ['predicate.builder.all(m, m.uri == "")', 'cannot be evaluated: '],
    ['predicate.count.all(m, m.uri == "")', 'cannot be evaluated: type mismatch'],
    ['predicate.nothing > 1', 'cannot be evaluated: found no matching overload'],
    ['!predicate.builder', 'cannot be evaluated: found no matching overload'],
    ['predicate.missing == 1 || predicate.count == 4', 'cannot be evaluated: field not found'],
    ['predicate.builder.id.matches(predicate.builder.id + "(")', 'cannot be evaluated: '],
    ['timestamp(predicate.builder.id) < now', 'cannot be evaluated: Failed to parse timestamp'],
    ['timestamp(predicate.finished) > now - duration("1h")', 'is not true'],
    ['1 / int(predicate.count - 3.0) == 1', 'cannot be evaluated: '],
  ])('is refused: %s', (source, message) => {
    const refusal = refusalOf(source, PROVENANCE);
    expect(refusal?.slice(0, message.length)).toBe(message);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'https://builder.example.com'],
    ['a number', 1],
    ['true', true],
    ['a list', ['builder']],
    ['an empty object', {}],
    ['a builder that is a text', { builder: 'https://builder.example.com' }],
    ['a builder that is null', { builder: null }],
    ['a builder that is a list', { builder: [{ id: 'https://builder.example.com' }] }],
    [
      'an inherited builder',
      JSON.parse('{"__proto__":{"builder":{"id":"https://builder.example.com"}}}'),
    ],
    ['something deep', JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)],
    ['a function', () => true],
  ])('is refused of %s', (_what, predicate: unknown) => {
    for (const source of [
      'predicate.builder.id == "https://builder.example.com"',
      'predicate.builder.id.size() > 0',
      'has(predicate.builder.id)',
      'predicate.builder.all(x, x == 1) && predicate.builder.id != ""',
    ]) {
      expect(refusalOf(source, predicate)).toEqual(expect.any(String));
    }
  });
});

describe('the cost of an expression', () => {
  const names = Array.from({ length: 20_000 }, (_, index) => `package-${index}`);
  const large = { packages: names.map((name) => ({ name })), names, text: 'a'.repeat(8_000_000) };

  it.each([
    'predicate.packages.all(p, p.name != "log4j")',
    'predicate.packages.filter(p, p.name.startsWith("package-1")).size() > 1000',
    'predicate.packages.map(p, p.name) == predicate.names',
    '!("log4j" in predicate.names)',
    'predicate.packages.map(p, p.name).map(n, n + "x").exists(n, n == "package-19999x")',
    'predicate.packages.all(p, p.name.matches("^package-[0-9]+$"))',
    'predicate.text.startsWith("aaa") && predicate.text.contains("a")',
    'predicate == predicate',
  ])('is within the budget for what is large: %s', (source) => {
    expect(refusalOf(source, large)).toBeUndefined();
  });

  it.each([
    'predicate.names.all(a, predicate.names.all(b, a != b || a == b))',
    'predicate.names.all(a, predicate.names.exists(b, true))',
    'predicate.names.all(a, a in predicate.names)',
    'predicate.packages.all(a, predicate.packages == predicate.packages)',
    'predicate.packages.all(a, predicate.packages.map(b, b.name) != [])',
    'predicate.names.all(a, !predicate.text.contains(a + "a"))',
    '[predicate.text].all(t, predicate.names.all(a, !t.contains(a + "a")))',
    'predicate.names.all(a, predicate.text + a != "")',
    'predicate.names.all(a, size(predicate.text) > 0)',
    'predicate.names.map(a, predicate.names.map(b, a + b)).size() > 0',
    'predicate.names.all(a, predicate.names.all(b, b.x)) || true',
    'predicate.names.exists(a, predicate.names.exists(b, b.x)) || true',
    'true || predicate.names.all(a, predicate.names.all(b, true))'.split(' || ')[1] ?? '',
    '!predicate.names.exists(a, predicate.names.exists(b, false))',
    '[[predicate.names.map(n, n)]].all(l, l[0].all(a, l[0].all(b, a != "")))',
  ])('is cut off, which nothing in the expression can swallow: %s', (source) => {
    expect(refusalOf(source, large)).toBe('costs too much to evaluate');
  });

  it('is that of each evaluation: the next one has a budget of its own', () => {
    const compiled = compileCel('predicate.all(a, predicate.all(b, true))');
    if (!compiled.ok) throw new Error('expected a compiled expression');
    expect(compiled.check.refusal(names, NOW)).toBe('costs too much to evaluate');
    expect(compiled.check.refusal(names.slice(0, 100), NOW)).toBeUndefined();
  });

  it.each([
    ['a long text', 'predicate.a.matches("^a")', { a: 'a'.repeat(65_537) }],
    ['a long pattern', 'predicate.a.matches(predicate.b)', { a: 'a', b: 'a'.repeat(1025) }],
    [
      'a pattern that multiplies',
      'predicate.a.matches(predicate.b)',
      { a: 'a', b: '((a{1000}){1000}){1000}' },
    ],
    ['what is no pattern', 'predicate.a.matches(predicate.b)', { a: 'a', b: '(?=a)' }],
  ])('is not that of %s given to matches', (_what, source, predicate) => {
    expect(refusalOf(source, predicate)).toContain('cannot be evaluated: ');
  });

  it('does not grow with what makes other engines backtrack', () => {
    const predicate = { name: `${'a'.repeat(50_000)}!` };
    expect(refusalOf('predicate.name.matches("^(a+)+$")', predicate)).toBe('is not true');
  });
});

describe('a mistake in an expression', () => {
  it.each([
    ['', 'not CEL: '],
    ['predicate.', 'not CEL: 1:10: found .'],
    ['predicate == ', 'not CEL: '],
    ['predicate = 1', 'not CEL: 1:11: found ='],
    ['predicate.a; true', 'not CEL: 1:12: found ;'],
    ['predicat.builder.id == ""', 'unknown name "predicat"'],
    ['builder.id == predicate.x', 'unknown name "builder"'],
    ['predicate.all(x, y == 1)', 'unknown name "y"'],
    ['predicate.a == process.env', 'unknown name "process"'],
    ['predicate.a.lowerAscii() == ""', 'unknown function "lowerAscii"'],
    ['length(predicate.a) == 1', 'unknown function "length"'],
    ['predicate.exists(i, v, i == 0)', 'unknown function "exists"'],
    ['predicate.a == google.protobuf.Value{}', 'unknown type "google.protobuf.Value"'],
    ['predicate.a.matches("(?=a)")', 'not a regular expression: '],
    ['true', 'the expression does not read the predicate'],
    ['now > timestamp("2026-01-01T00:00:00Z")', 'the expression does not read the predicate'],
  ])('is told when the rules are read: %s', (source, message) => {
    const [first = ''] = mistakesOf(source);
    expect(first.slice(0, message.length)).toBe(message);
  });

  it('is told of an expression that is too long', () => {
    const [message] = mistakesOf(`predicate.a == "${'x'.repeat(2048)}"`);
    expect(message).toBe('expected at most 2048 characters, got 2065');
  });

  it('is told of one that is too deep', () => {
    expect(mistakesOf('('.repeat(2000))).toEqual([expect.stringContaining('not CEL: ')]);
  });

  it('is told beside every other', () => {
    expect(mistakesOf('predicat.a == foo(builder)')).toEqual([
      'unknown name "predicat"',
      'unknown function "foo"',
      'unknown name "builder"',
    ]);
  });
});
