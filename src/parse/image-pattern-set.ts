import type { ImagePattern, TagReading } from './image-pattern.ts';
import { matchesReference } from './image-pattern.ts';
import type { ImageReference } from './image-reference.ts';
import { someSuffix } from './registry-pattern.ts';

/** Values filed under image patterns, found again by the references that the patterns take. */
export interface ImagePatternIndex<T> {
  /** Calls `visit` with what is filed under each pattern that takes the reference, until true. */
  some(reference: ImageReference, reading: TagReading, visit: (value: T) => boolean): boolean;
}

type Entry<T> = readonly [ImagePattern, T];

/** Patterns below one registry part: whole literal paths apart from those with wildcards. */
interface Bucket<T> {
  readonly literal: Map<string, Entry<T>[]>;
  readonly wildcard: Entry<T>[];
}

/**
 * Builds the index. A look-up costs what the patterns of the same registry (and of its suffixes)
 * with a wildcard in their path cost, and one map access each for all the others.
 */
export function indexImagePatterns<T>(entries: Iterable<Entry<T>>): ImagePatternIndex<T> {
  const exact = new Map<string, Bucket<T>>();
  const suffixes = new Map<string, Bucket<T>>();
  const any: Bucket<T> = { literal: new Map(), wildcard: [] };
  for (const entry of entries) {
    const part = entry[0].registry;
    if (part.kind === 'any') file(any, entry);
    else if (part.kind === 'exact') file(bucketOf(exact, part.registry), entry);
    else file(bucketOf(suffixes, part.suffix), entry);
  }
  return {
    some(reference, reading, visit) {
      const inBucket = (bucket: Bucket<T> | undefined): boolean =>
        bucket !== undefined && someInBucket(bucket, reference, reading, visit);
      return (
        inBucket(any) ||
        inBucket(exact.get(reference.registry)) ||
        (suffixes.size > 0 &&
          someSuffix(reference.registry, (suffix) => inBucket(suffixes.get(suffix))))
      );
    },
  };
}

function bucketOf<T>(buckets: Map<string, Bucket<T>>, key: string): Bucket<T> {
  const found = buckets.get(key);
  if (found !== undefined) return found;
  const bucket: Bucket<T> = { literal: new Map(), wildcard: [] };
  buckets.set(key, bucket);
  return bucket;
}

function file<T>(bucket: Bucket<T>, entry: Entry<T>): void {
  const path = entry[0].literalPath;
  if (path === undefined) {
    bucket.wildcard.push(entry);
    return;
  }
  const filed = bucket.literal.get(path);
  if (filed === undefined) bucket.literal.set(path, [entry]);
  else filed.push(entry);
}

function someInBucket<T>(
  bucket: Bucket<T>,
  reference: ImageReference,
  reading: TagReading,
  visit: (value: T) => boolean,
): boolean {
  const takes = ([pattern, value]: Entry<T>): boolean =>
    matchesReference(pattern, reference, reading) && visit(value);
  return (
    bucket.literal.get(reference.repository)?.some(takes) === true || bucket.wildcard.some(takes)
  );
}
