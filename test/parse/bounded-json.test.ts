import { describe, expect, it } from '@jest/globals';
import { hasRepeatedNames, parseBoundedJson } from '../../src/parse/bounded-json.ts';

const parse = (text: string): unknown => parseBoundedJson(Buffer.from(text));

describe('bounded JSON', () => {
  it.each([
    ['null', null],
    ['"text"', 'text'],
    [' {"a": [1, 2.5, true, "\\"]}\\\\"]} ', { a: [1, 2.5, true, '"]}\\'] }],
    [`"${'[,'.repeat(2_000_000)}"`, '[,'.repeat(2_000_000)],
    [`${'['.repeat(64)}${']'.repeat(64)}`, JSON.parse(`${'['.repeat(64)}${']'.repeat(64)}`)],
    [`[${'{},'.repeat(99)}{}]`, Array.from({ length: 100 }, () => ({}))],
    [`[${'1,'.repeat(900_000)}1]`, Array.from({ length: 900_001 }, () => 1)],
  ] as const)('is read: %.40s', (text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it.each([
    ['nothing', ''],
    ['what breaks off', '{"a":'],
    ['two texts', '{} {}'],
    ['a trailing comma', '[1,]'],
    ['what is nested too deeply', `${'['.repeat(65)}${']'.repeat(65)}`],
    ['what is nested too deeply behind a quote', `["\\"",${'{"a":'.repeat(64)}1${'}'.repeat(64)}]`],
    ['what has too many items', `[${'1,'.repeat(1_000_000)}1]`],
    ['what has too many lists', `[${'[],'.repeat(400_000)}1]`],
    ['what has too many mappings in few lists', `[${'{"a":{}},'.repeat(250_000)}1]`],
  ])('is not: %s', (_what, text) => {
    expect(parse(text)).toBeUndefined();
  });

  it.each([
    ['{"a":1,"a":1}', true],
    ['{"a":1,"\\u0061":1}', true],
    ['[{"b":{"a":1,"c":[],"a":{}}}]', true],
    ['{"__proto__":1,"__proto__":2}', true],
    ['{"a":{"a":[{"a":1},{"a":2}]}}', false],
    ['{"a":"\\":\\\\","b":":"}', false],
    ['{"__proto__":{"a":1},"a":1}', false],
    ['[1,"a:b"]', false],
    ['"a:b"', false],
    ['null', false],
  ])('has a name twice in one object: %s', (text, expected) => {
    expect(hasRepeatedNames(Buffer.from(text), parse(text))).toBe(expected);
  });

  it('is UTF-8', () => {
    expect(parseBoundedJson(Buffer.from([0x22, 0xff, 0x22]))).toBeUndefined();
  });
});
