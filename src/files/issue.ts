import type { z } from 'zod';
import { nearest } from './nearest.ts';

/** A mistake that a schema found, in our words. */
export interface DescribedIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly hint?: string;
  /** The key itself is the mistake, not its value. */
  readonly atKey?: boolean;
}

type Issue = z.core.$ZodIssue;

/** Puts the issues of the schema library into "expected X, got Y"; one per unknown key. */
export function describeIssues(
  issues: readonly Issue[],
  value: unknown,
  schema: z.ZodType,
): DescribedIssue[] {
  const otherKind = issues.find((issue) => saysOtherKind(issue, value));
  if (otherKind !== undefined) {
    return describeIssue(otherKind, value, schema).map((issue) => ({ ...issue, hint: OTHER_KIND }));
  }
  const mistyped = namesOf(issues.filter(isOfType));
  const misspelt = namesOf(issues.filter(isOfKeys));
  return issues
    .filter((issue) => !isOfSize(issue) || !mistyped.has(nameOf(issue.path)))
    .filter((issue) => !isOfWhole(issue) || !misspelt.has(nameOf(issue.path)))
    .flatMap((issue) => describeIssue(issue, value, schema));
}

const OTHER_KIND = 'this is another kind of file, what else is in it was not checked';

/** The file says that it is something else: held against this schema all of it would be wrong. */
function saysOtherKind(issue: Issue, value: unknown): boolean {
  if (issue.code !== 'invalid_value' || nameOf(issue.path) !== 'kind') return false;
  const got = valueAt(value, issue.path);
  return typeof got === 'string' && nearest(got, issue.values.map(String)) === undefined;
}

const isOfType = ({ code }: Issue): boolean => code === 'invalid_type';
/** The library measures a list even where it expected a text. */
const isOfSize = ({ code }: Issue): boolean => code === 'too_small' || code === 'too_big';
const isOfKeys = ({ code }: Issue): boolean => code === 'unrecognized_keys';
/** What a mapping lacks as a whole may be what is misspelt in it. */
const isOfWhole = ({ code }: Issue): boolean => code === 'custom';

function namesOf(issues: readonly Issue[]): ReadonlySet<string> {
  return new Set(issues.map(({ path }) => nameOf(path)));
}

function describeIssue(issue: Issue, value: unknown, schema: z.ZodType): DescribedIssue[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => unknownKey([...issue.path, key], key, known));
  }
  if (issue.code === 'invalid_key') {
    const holder = issue.path.slice(0, -1);
    return issue.issues.map((inner) => wrongKey(inner, holder, String(issue.path.at(-1))));
  }
  const name = nameOf(issue.path);
  const got = valueAt(value, issue.path);
  if (got === undefined && issue.code !== 'custom') {
    return [{ path: issue.path, message: `${name} is missing: expected ${expectation(issue)}` }];
  }
  const message =
    issue.code === 'custom'
      ? `${name}: ${issue.message}`
      : `${name}: expected ${expectation(issue)}, got ${show(got)}`;
  return [{ path: issue.path, message, ...hintOf(issue, got, schema) }];
}

/** What a mapping whose keys are free has against one of them. */
function wrongKey(issue: Issue, holder: readonly PropertyKey[], key: string): DescribedIssue {
  const name = nameOf(holder);
  const message =
    issue.code === 'custom'
      ? `${name}: ${issue.message}, got ${show(key)}`
      : `${name}: expected ${expectation(issue)} in each key, got ${show(key)}`;
  return { path: [...holder, key], atKey: true, message };
}

function unknownKey(
  path: readonly PropertyKey[],
  key: string,
  known: readonly string[],
): DescribedIssue {
  return {
    path,
    atKey: true,
    message: `unknown key ${JSON.stringify(key)}`,
    hint: hintOfKey(key, known),
  };
}

function hintOfKey(key: string, known: readonly string[]): string {
  const [name = '', value] = key.split(':', 2);
  if (value !== undefined && known.includes(name)) return `put a space behind "${name}:"`;
  const meant = nearest(key, known);
  return meant === undefined ? `known here: ${known.join(', ')}` : `did you mean "${meant}"?`;
}

function hintOf(issue: Issue, got: unknown, schema: z.ZodType): { hint?: string } {
  const hint = findHint(issue, got, schema);
  return hint === undefined ? {} : { hint };
}

function findHint(issue: Issue, got: unknown, schema: z.ZodType): string | undefined {
  if (issue.code === 'custom') {
    const hint: unknown = issue.params?.['hint'];
    return typeof hint === 'string' ? hint : undefined;
  }
  if (issue.code === 'invalid_value') return hintOfValue(issue.values, got);
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.expected === 'array') return hintOfList(got, knownKeys(schema, [...issue.path, 0]));
  return hintOfType(issue.expected, got);
}

/** @param itemKeys what an item may hold; none when it is a text or a number */
function hintOfList(got: unknown, itemKeys: readonly string[]): string | undefined {
  if (typeof got === 'string' && itemKeys.length === 0) {
    const items = got.split(',').map((item) => JSON.stringify(item.trim()));
    return items.length > MAX_ITEMS ? undefined : `write [${items.join(', ')}]`;
  }
  const keys = typeof got === 'object' && got !== null ? Object.keys(got) : [];
  const [dashed] = keys.filter((key) => key.startsWith('-') && itemKeys.includes(key.slice(1)));
  if (dashed !== undefined) return `put a space behind the "-" of "${dashed}"`;
  const isItem = isOneOf(keys, itemKeys);
  return isItem ? 'put "- " before its first key: each item of a list begins with one' : undefined;
}

/** A hint that repeats more than this is no help. */
const MAX_ITEMS = 10;

function isOneOf(keys: readonly string[], known: readonly string[]): boolean {
  return keys.some((key) => known.includes(key));
}

function hintOfType(expected: string, got: unknown): string | undefined {
  if (expected === 'string' && typeof got !== 'object') return 'put it in quotes';
  const quoted = typeof got === 'string' && UNQUOTED.get(expected)?.test(got) === true;
  return quoted ? 'write it without quotes' : undefined;
}

const UNQUOTED: ReadonlyMap<string, RegExp> = new Map([
  ['number', /^[0-9]+$/],
  ['boolean', /^(true|false)$/],
]);

function hintOfValue(values: readonly unknown[], got: unknown): string | undefined {
  if (got === false && values.includes(true)) return 'leave the key out, false would do nothing';
  if (typeof got !== 'string') return undefined;
  if (values.some((value) => typeof value !== 'string' && String(value) === got)) {
    return 'write it without quotes';
  }
  const meant = nearest(got, values.map(String));
  return meant === undefined ? undefined : `did you mean "${meant}"?`;
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_NAMES.get(issue.expected) ?? `a ${issue.expected}`;
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(' or ');
    case 'too_small':
      return `at least ${issue.minimum}${unitOf(issue.origin, issue.minimum)}`;
    case 'too_big':
      return `at most ${issue.maximum}${unitOf(issue.origin, issue.maximum)}`;
    default:
      return issue.message;
  }
}

const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  ['object', 'a mapping'],
  ['array', 'a list'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
]);

function unitOf(origin: string, count: number | bigint): string {
  const unit = UNITS.get(origin);
  if (unit === undefined) return '';
  return count === 1 ? ` ${unit}` : ` ${unit}s`;
}

const UNITS: ReadonlyMap<string, string> = new Map([
  ['array', 'item'],
  ['string', 'character'],
]);

function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

/** `spec.rules[0].name`, or `the document` for the whole. */
function nameOf(path: readonly PropertyKey[]): string {
  const name = path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('');
  return name === '' ? 'the document' : name.replace(/^\./, '');
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) {
      return undefined;
    }
    current = (current as Record<PropertyKey, unknown>)[step];
  }
  return current;
}

/** The keys that the schema knows at a path. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let current: unknown = unwrap(schema);
  for (const step of path) current = unwrap(childOf(current, step));
  const shape = propertyOf(current, 'shape');
  return typeof shape === 'object' && shape !== null ? Object.keys(shape) : [];
}

function childOf(schema: unknown, step: PropertyKey): unknown {
  const shape = propertyOf(schema, 'shape');
  if (shape !== undefined) return propertyOf(shape, step);
  return propertyOf(propertyOf(schema, 'def'), typeof step === 'number' ? 'element' : 'valueType');
}

/** Below optional, default, prefault, pipe and the like. */
function unwrap(schema: unknown): unknown {
  const def = propertyOf(schema, 'def');
  const inner = propertyOf(def, 'innerType') ?? propertyOf(def, 'in');
  return inner === undefined ? schema : unwrap(inner);
}

function propertyOf(holder: unknown, key: PropertyKey): unknown {
  if (typeof holder !== 'object' || holder === null) return undefined;
  return (holder as Record<PropertyKey, unknown>)[key];
}
