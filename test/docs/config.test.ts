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

describe('docs/config.md', () => {
  it('shows every key that there is, and no other', () => {
    expect(rows.map(({ key }) => key)).toEqual(keys.map(({ key }) => key));
  });

  it.each(keys)('$key: has the default and the bounds of the schema', ({ key, usual, range }) => {
    const row = rows.find((each) => each.key === key);
    expect(row?.usual).toEqual(usual);
    if (range !== undefined) expect(row?.range.startsWith(range)).toBe(true);
  });

  it('shows the least that a config has to say', () => {
    const least = /```yaml\n([^`]*)```/.exec(page)?.[1] ?? '';
    expect(serviceConfigSchema.safeParse(parse(least)).success).toBe(true);
  });
});
