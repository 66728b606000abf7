import { applySplices } from '../manifest/splice.ts';
import type { ImageField } from './image-fields.ts';

/** The text with the images put in their places; everything else stays as it is, byte for byte. */
export function pinText(
  text: string,
  fields: readonly ImageField[],
  pinned: ReadonlyMap<string, string>,
): string {
  const splices = fields.map(({ image, start, end }) => ({
    ...{ start, end },
    text: pinned.get(image) ?? image,
  }));
  return applySplices(text, splices);
}
