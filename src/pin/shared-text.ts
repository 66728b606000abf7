import { randomUUID } from 'node:crypto';
import { visit } from 'yaml';
import type { Document, Scalar } from 'yaml';
import type { ObjectPath } from '../scan/found-object.ts';

/** An image, and the text that says it, which may be elsewhere by an alias or a merge. */
export interface WrittenImage {
  readonly path: ObjectPath;
  readonly node: Scalar;
}

/**
 * The texts that say something else besides these images, which would change with them. To find
 * them each text is given a value of its own, which the document does not survive.
 */
export function findSharedTexts(
  document: Document.Parsed,
  images: readonly WrittenImage[],
): ReadonlySet<Scalar> {
  const shared = new Set<Scalar>();
  if (images.length === 0 || !hasAlias(document)) return shared;
  const paths = new Set(images.map(({ path }) => JSON.stringify(path)));
  const texts = new Map(
    [...new Set(images.map(({ node }) => node))].map((node) => [randomUUID() as string, node]),
  );
  for (const [mark, node] of texts) node.value = mark;
  visitTexts(document.toJS({ maxAliasCount: 100 }), [], (text, path) => {
    const node = texts.get(text);
    if (node !== undefined && !paths.has(JSON.stringify(path))) shared.add(node);
  });
  return shared;
}

function hasAlias(document: Document.Parsed): boolean {
  let found = false;
  visit(document, {
    Alias() {
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

/** Every text, and every key with the path of its mapping. */
function visitTexts(
  value: unknown,
  path: ObjectPath,
  found: (text: string, path: ObjectPath) => void,
): void {
  if (typeof value === 'string') found(value, path);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    if (!Array.isArray(value)) found(key, path);
    visitTexts(each, [...path, Array.isArray(value) ? Number(key) : key], found);
  }
}
