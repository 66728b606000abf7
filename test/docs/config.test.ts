import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { serviceConfigSchema } from '../../src/config/schema.ts';

const page = readFileSync(new URL('../../docs/config.md', import.meta.url), 'utf8');

interface Node {
  readonly type?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node | false;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly Node[];
}

interface Key {
  readonly key: string;
  readonly usual: unknown;
  readonly range: string | undefined;
}

/** What a file may say, which the schema tells of itself. */
const schema = z.toJSONSchema(serviceConfigSchema, { io: 'input' }) as Node;

function keysOf(node: Node, above = ''): Key[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const key = `${above}${name}`;
    if (child.properties !== undefined) return keysOf(child, `${key}.`);
    const own = { key, usual: usualOf(name, child, node), range: rangeOf(child) };
    const each = child.additionalProperties;
    return [own, ...(each ? keysOf(each, `${key}.HOST.`) : [])];
  });
}

function usualOf(name: string, child: Node, parent: Node): unknown {
  if (child.default !== undefined) return child.default;
  return parent.required?.includes(name) === true ? 'required' : 'none';
}

function rangeOf(node: Node): string | undefined {
  const { minimum, maximum } = node.anyOf?.[0] ?? node;
  return minimum === undefined ? undefined : `${String(minimum)} to ${String(maximum)}`;
}

const keys = keysOf(schema).filter(({ key }) => key !== 'apiVersion' && key !== 'kind');
const rows = [...page.matchAll(/^\| `([^`]+)` *\| ([^|]*?) *\| ([^|]*?) *\|/gm)].map(
  ([, key = '', usual = '', range = '']) => ({
    key,
    usual: parse(usual.replaceAll('`', '')) as unknown,
    range,
  }),
);

/** Times are texts to the schema, which does not tell their bounds. */
const times = rows.flatMap(({ key, range }) => {
  const [, least, most] = /^([0-9]+m?[smh]) to ([0-9]+m?[smh])$/.exec(range) ?? [];
  return least === undefined || most === undefined ? [] : [{ key, least, most }];
});

const LEAST = /```yaml\n([^`]*)```/.exec(page)?.[1] ?? '';

function isValid(key: string, value: string): boolean {
  const nested = key.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  return serviceConfigSchema.safeParse(Object.assign(parse(LEAST), nested)).success;
}

describe('docs/config.md', () => {
  it('shows every key that there is, and no other', () => {
    expect(rows.map(({ key }) => key)).toEqual(keys.map(({ key }) => key));
  });

  it.each(keys)('$key: has the default and the bounds of the schema', ({ key, usual, range }) => {
    const row = rows.find((each) => each.key === key);
    expect(row?.usual).toEqual(usual);
    if (range !== undefined) expect(row?.range.startsWith(range)).toBe(true);
  });

  it.each(times)('$key: takes $least and $most, and nothing beyond', ({ key, least, most }) => {
    expect([least, most].map((time) => isValid(key, time))).toEqual([true, true]);
    expect(
      isValid(
        key,
        most.replace(/^[0-9]+/, (count) => String(Number(count) + 1)),
      ),
    ).toBe(false);
    if (!least.startsWith('0')) {
      expect(
        isValid(
          key,
          least.replace(/^[0-9]+/, (count) => String(Number(count) - 1)),
        ),
      ).toBe(false);
    }
  });

  it('shows the least that a config has to say', () => {
    expect(serviceConfigSchema.safeParse(parse(LEAST)).success).toBe(true);
  });
});
