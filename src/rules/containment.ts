import type { Glob } from '../parse/glob.ts';
import type { ImagePattern, RegistryPart, TagReading } from '../parse/image-pattern.ts';
import { foldRegistryPattern } from '../parse/registry-pattern.ts';
import type { SelectorSpec } from './schema.ts';

/*
 * Which patterns take whatever others take, and which can never take the same. Every function here
 * errs on one side: true is certain, false may mean "cannot be told".
 */

/** Comparisons of two lists beyond which nothing is claimed. */
const MAX_COMPARISONS = 10_000;

/** Whether each of `inner` is within some of `outer`. */
export function eachWithin<T>(
  inner: readonly T[],
  outer: readonly T[],
  contains: (outer: T, inner: T) => boolean,
): boolean {
  if (inner.length * outer.length > MAX_COMPARISONS) return false;
  return inner.every((one) => outer.some((other) => contains(other, one)));
}

/** Whether none of the one list can take what one of the other takes. */
export function allDisjoint<T>(
  left: readonly T[],
  right: readonly T[],
  disjoint: (left: T, right: T) => boolean,
): boolean {
  if (left.length * right.length > MAX_COMPARISONS) return false;
  return left.every((one) => right.every((other) => disjoint(one, other)));
}

/** A `*` of the inner glob, read as a character, can only be swallowed by a `*` of the outer. */
export function globContains(outer: Glob, inner: Glob): boolean {
  return outer.matches(inner.source);
}

/** Two globs without `*` are disjoint when they differ; with one, when there is no match; else by their ends. */
export function globsDisjoint(left: Glob, right: Glob): boolean {
  if (!left.source.includes('*')) return !right.matches(left.source);
  if (!right.source.includes('*')) return !left.matches(right.source);
  const [leftStart, leftEnd] = endsOf(left);
  const [rightStart, rightEnd] = endsOf(right);
  return (
    !(leftStart.startsWith(rightStart) || rightStart.startsWith(leftStart)) ||
    !(leftEnd.endsWith(rightEnd) || rightEnd.endsWith(leftEnd))
  );
}

/** What stands before the first `*`, and behind the last. */
function endsOf({ source }: Glob): readonly [string, string] {
  return [source.slice(0, source.indexOf('*')), source.slice(source.lastIndexOf('*') + 1)];
}

export function registryContains(outer: RegistryPart, inner: RegistryPart): boolean {
  if (outer.kind === 'any') return true;
  if (outer.kind === 'exact') return inner.kind === 'exact' && inner.registry === outer.registry;
  if (inner.kind === 'any') return false;
  return inner.kind === 'suffix'
    ? inner.suffix.endsWith(outer.suffix)
    : inner.registry.length > outer.suffix.length && inner.registry.endsWith(outer.suffix);
}

export function registriesDisjoint(left: RegistryPart, right: RegistryPart): boolean {
  return left.kind !== 'any' && !registryContains(left, right) && !registryContains(right, left);
}

/** Hosts without case, as what forbids compares them. */
export function foldRegistry(part: RegistryPart): RegistryPart {
  return part.kind === 'any' ? part : foldRegistryPattern(part);
}

/** How the tags of two patterns are read. */
export interface Readings {
  readonly outer: TagReading;
  readonly inner: TagReading;
}

/** Whether the outer pattern takes every image that the inner one takes. */
export function patternContains(
  outer: ImagePattern,
  inner: ImagePattern,
  readings: Readings,
): boolean {
  return (
    registryContains(outer.registry, inner.registry) &&
    (outer.digest === undefined || outer.digest === inner.digest) &&
    tagContains(outer, inner, readings) &&
    pathContains(outer.path, inner.path)
  );
}

function tagContains(outer: ImagePattern, inner: ImagePattern, readings: Readings): boolean {
  if (outer.tag === undefined) return true;
  if (inner.tag === undefined || !globContains(outer.tag, inner.tag)) return false;
  // Read as proof, a tag beside a digest that the pattern does not name takes nothing.
  if (outer.digest !== undefined || readings.outer === 'as-written') return true;
  return readings.inner === 'as-proof' && inner.digest === undefined;
}

type Path = ImagePattern['path'];

/** The match of a path, over the parts of another pattern: only the last `**` is ever retried. */
function pathContains(outer: Path, inner: Path): boolean {
  let at = 0;
  let retry: { readonly at: number; index: number } | undefined;
  let index = 0;
  while (index < inner.length) {
    const part = outer[at];
    if (part === '**') {
      at += 1;
      retry = { at, index };
    } else if (part !== undefined && isWithin(inner[index], part)) {
      at += 1;
      index += 1;
    } else {
      if (retry === undefined) return false;
      retry.index += 1;
      ({ at, index } = retry);
    }
  }
  return outer.slice(at).every((part) => part === '**');
}

function isWithin(inner: Path[number] | undefined, outer: Glob): boolean {
  return inner !== undefined && inner !== '**' && globContains(outer, inner);
}

/** Whether the outer selector takes whatever the inner takes; an absent one takes everything. */
export function selectorContains(
  outer: SelectorSpec | undefined,
  inner: SelectorSpec | undefined,
  reading: TagReading,
): boolean {
  const readings: Readings = { outer: reading, inner: 'as-written' };
  return (
    listContains(outer?.namespaces, inner?.namespaces, globContains, isEveryName) &&
    listContains(
      outer?.images,
      inner?.images,
      (one, other) => patternContains(one, other, readings),
      isEveryImage,
    )
  );
}

function listContains<T>(
  outer: readonly T[] | undefined,
  inner: readonly T[] | undefined,
  contains: (outer: T, inner: T) => boolean,
  isEverything: (one: T) => boolean,
): boolean {
  if (outer === undefined || outer.some(isEverything)) return true;
  return inner !== undefined && eachWithin(inner, outer, contains);
}

function isEveryName({ source }: Glob): boolean {
  return source === '*';
}

/** `**`, and what is the same. */
function isEveryImage({ registry, path, tag, digest }: ImagePattern): boolean {
  const free = tag === undefined && digest === undefined;
  return free && registry.kind === 'any' && path.every((part) => part === '**');
}
