import { z } from 'zod';

/**
 * A list of one to so many items. zod's own bound comes after every item was looked at, with an
 * issue kept for each that is wrong: of a million foreign ones that takes seconds.
 */
export function boundedArray<T extends z.ZodType>(item: T, max: number) {
  return z
    .custom<unknown[]>((value) => Array.isArray(value) && value.length <= max)
    .pipe(z.array(item).min(1));
}
