import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { imagePolicySchema } from '../../src/rules/schema.ts';
import { renderFirstRules } from '../../src/setup/first-rules.ts';
import { call, RULES } from './call.ts';

type Schema = Readonly<Record<string, unknown>>;
type Check = (value: unknown, argument: unknown, schema: Schema) => readonly unknown[];

const length = (value: unknown): number => (value as { readonly length: number }).length;
const isText = (value: unknown): value is string => typeof value === 'string';
const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const unless = (good: boolean, mistake: unknown): readonly unknown[] => (good ? [] : [mistake]);

/** The keywords of JSON Schema that ours has, after the specification; each returns mistakes. */
const CHECKS: Readonly<Record<string, Check>> = {
  type: (value, type) => {
    const got = Array.isArray(value) ? 'array' : typeof value;
    return unless(got === type && value !== null, [value, type]);
  },
  const: (value, expected) => unless(value === expected, [value, expected]),
  enum: (value, allowed) => unless((allowed as unknown[]).includes(value), [value, allowed]),
  pattern: (value, pattern) =>
    unless(!isText(value) || new RegExp(String(pattern), 'u').test(value), [value, pattern]),
  minLength: (value, least) => unless(!isText(value) || length(value) >= Number(least), value),
  maxLength: (value, most) => unless(!isText(value) || length(value) <= Number(most), value),
  minItems: (value, least) =>
    unless(!Array.isArray(value) || length(value) >= Number(least), value),
  minProperties: (value, least) =>
    unless(!isMapping(value) || Object.keys(value).length >= Number(least), value),
  required: (value, keys) =>
    isMapping(value) ? (keys as string[]).filter((key) => !(key in value)) : [],
  additionalProperties: (value, allowed, { properties }) => {
    expect(allowed).toBe(false);
    const known = Object.keys(properties as object);
    return isMapping(value) ? Object.keys(value).filter((key) => !known.includes(key)) : [];
  },
  properties: (value, properties) =>
    Object.entries(properties as Record<string, Schema>).flatMap(([key, schema]) =>
      isMapping(value) && key in value ? mistakes(value[key], schema) : [],
    ),
  items: (value, schema) =>
    Array.isArray(value) ? value.flatMap((item) => mistakes(item, schema as Schema)) : [],
  anyOf: (value, schemas) =>
    unless(
      (schemas as Schema[]).some((schema) => mistakes(value, schema).length === 0),
      value,
    ),
};

const SAYS_NOTHING = ['$schema', '$id', 'title', 'description', 'default'];

/** What a validator has against a value; it knows every keyword or refuses. */
function mistakes(value: unknown, schema: Schema): readonly unknown[] {
  return Object.entries(schema)
    .filter(([keyword]) => !SAYS_NOTHING.includes(keyword))
    .flatMap(([keyword, argument]) => {
      const check = CHECKS[keyword];
      if (check === undefined) throw new Error(`unknown keyword ${keyword}`);
      return check(value, argument, schema);
    });
}

async function readSchema(): Promise<Record<string, unknown>> {
  return JSON.parse((await call(['rules', 'schema'])).stdout) as Record<string, unknown>;
}

/** Every schema within a schema, by its path. */
function* walk(schema: unknown, path = ''): Generator<[string, Record<string, unknown>]> {
  if (typeof schema !== 'object' || schema === null) return;
  yield [path, schema as Record<string, unknown>];
  for (const [key, value] of Object.entries(schema)) yield* walk(value, `${path}/${key}`);
}

const rule = (body: object): object => ({
  apiVersion: 'image-checker/v1',
  kind: 'ImagePolicy',
  metadata: { name: 'x' },
  spec: { rules: [{ name: 'a', ...body }] },
});

describe('image-checker rules schema', () => {
  it('is JSON Schema of draft 2020-12, with a name', async () => {
    expect(await readSchema()).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'urn:image-checker:v1:ImagePolicy',
      title: 'image-checker ImagePolicy',
      type: 'object',
      required: ['apiVersion', 'kind', 'metadata', 'spec'],
      additionalProperties: false,
    });
  });

  it('lets no unknown key into any mapping, and no empty mapping', async () => {
    const mappings = [...walk(await readSchema())].filter(([, { type }]) => type === 'object');
    expect(mappings).toHaveLength(21);
    for (const [path, mapping] of mappings) {
      // What a signature is annotated with is up to whoever makes it.
      const isFree = path.endsWith('/annotations');
      const rest = isFree ? { type: 'string' } : false;
      expect([path, mapping['additionalProperties']]).toEqual([path, rest]);
      const wanted = mapping['required'] !== undefined || mapping['minProperties'] === 1;
      expect([path, wanted]).toEqual([path, true]);
    }
  });

  it('describes every key', async () => {
    const keys = [...walk(await readSchema())].filter(([path]) =>
      /\/properties\/[^/]+$/.test(path),
    );
    expect(keys.length).toBeGreaterThan(60);
    expect(
      keys.filter(([, { description }]) => !isText(description)).map(([path]) => path),
    ).toEqual([]);
  });

  it('says that a rule has to ask or cover something', async () => {
    const items = [...walk(await readSchema())].find(([path]) => path.endsWith('/rules/items'));
    expect(items?.[1]['anyOf']).toEqual([
      { required: ['match'] },
      { required: ['require'] },
      { required: ['forbid'] },
    ]);
  });

  it.each<[string, unknown]>([
    ['the rules that the tests use', parse(RULES)],
    ['the first rules of setup', parse(renderFirstRules())],
    ['a rule that covers', rule({ match: { images: ['**'] } })],
  ])('accepts %s, as the loader does', async (_title, value) => {
    expect(imagePolicySchema.safeParse(value).success).toBe(true);
    expect(mistakes(value, await readSchema())).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['an unknown key', rule({ requires: { digest: true }, match: { images: ['**'] } })],
    ['an empty list', rule({ require: { registries: [] } })],
    ['a mode that is none', rule({ mode: 'deny', match: { images: ['**'] } })],
    ['a switch that does nothing', rule({ require: { digest: false } })],
    ['a name that is no label', rule({ name: 'A', match: { images: ['**'] } })],
    ['an empty message', rule({ message: '', match: { images: ['**'] } })],
    ['a number for a registry', rule({ require: { registries: [5] } })],
    ['an empty mapping', rule({ match: {} })],
    ['an empty exemption', rule({ except: [{}], require: { digest: true } })],
    ['a rule that asks and covers nothing', rule({ mode: 'warn' })],
    ['a long message', rule({ message: 'x'.repeat(257), match: { images: ['**'] } })],
    ['no metadata', { apiVersion: 'image-checker/v1', kind: 'ImagePolicy', spec: { rules: [] } }],
    ['another kind', { ...rule({ match: { images: ['**'] } }), kind: 'Policy' }],
  ])('refuses %s, as the loader does', async (_title, value) => {
    expect(imagePolicySchema.safeParse(value).success).toBe(false);
    expect(mistakes(value, await readSchema())).not.toEqual([]);
  });
});
