import { parseImagePattern } from '../../src/parse/image-pattern.ts';
import type { ImagePattern } from '../../src/parse/image-pattern.ts';
import { parseImageReference } from '../../src/parse/image-reference.ts';
import type { ImageReference } from '../../src/parse/image-reference.ts';

/** @throws {Error} for what is no pattern */
export function readPattern(text: string): ImagePattern {
  const parsed = parseImagePattern(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.pattern;
}

/** @throws {Error} for what is no reference */
export function readReference(text: string): ImageReference {
  const parsed = parseImageReference(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.reference;
}
