import { foldImagePattern } from '../parse/image-pattern.ts';
import type { ImagePattern } from '../parse/image-pattern.ts';
import { allDisjoint, foldRegistry, globsDisjoint, registriesDisjoint } from './containment.ts';
import type { SelectorSpec } from './schema.ts';

/*
 * Which patterns and selectors can never take the same image. As in containment.ts true is certain,
 * false may mean "cannot be told". Hosts are compared without case, as a match compares them.
 */

/** Whether no reference is taken by both, read as written; as proof each takes fewer. */
export function patternsDisjoint(one: ImagePattern, other: ImagePattern): boolean {
  const [left, right] = [foldImagePattern(one), foldImagePattern(other)];
  return (
    registriesDisjoint(left.registry, right.registry) ||
    pathsDisjoint(left.path, right.path) ||
    (left.tag !== undefined && right.tag !== undefined && globsDisjoint(left.tag, right.tag)) ||
    (left.digest !== undefined && right.digest !== undefined && left.digest !== right.digest)
  );
}

type Path = ImagePattern['path'];

/** By their number of components, and by those before the first `**` and behind the last. */
function pathsDisjoint(left: Path, right: Path): boolean {
  const isFixed = !left.includes('**') && !right.includes('**');
  return (
    (isFixed && left.length !== right.length) ||
    startsDiffer(left, right) ||
    startsDiffer(left.toReversed(), right.toReversed())
  );
}

function startsDiffer(left: Path, right: Path): boolean {
  for (const [index, part] of left.entries()) {
    const other = right[index];
    if (other === undefined || other === '**' || part === '**') return false;
    if (globsDisjoint(part, other)) return true;
  }
  return false;
}

/** Whether no image in any namespace is taken by both; an absent one takes everything. */
export function selectorsDisjoint(
  one: SelectorSpec | undefined,
  other: SelectorSpec | undefined,
): boolean {
  return (
    listsDisjoint(one?.namespaces, other?.namespaces, globsDisjoint) ||
    listsDisjoint(one?.images, other?.images, patternsDisjoint)
  );
}

/** Whether all that the patterns take is of other registries. */
export function registriesApart(
  images: readonly ImagePattern[],
  registries: readonly ImagePattern['registry'][] | undefined,
): boolean {
  const taken = images.map(({ registry }) => foldRegistry(registry));
  return listsDisjoint(taken, registries?.map(foldRegistry), registriesDisjoint);
}

/** Whether all that the patterns take has other tags. */
export function tagsApart(
  images: readonly ImagePattern[],
  tags: SelectorSpec['namespaces'],
): boolean {
  const taken = images.flatMap(({ tag }) => tag ?? []);
  return taken.length === images.length && listsDisjoint(taken, tags, globsDisjoint);
}

function listsDisjoint<T>(
  one: readonly T[] | undefined,
  other: readonly T[] | undefined,
  disjoint: (one: T, other: T) => boolean,
): boolean {
  return one !== undefined && other !== undefined && allDisjoint(one, other, disjoint);
}
