import { z } from 'zod';

/** A mapping in which a key has to be given: an empty one would do nothing, or everything. */
export function withSomeKey<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape).check(
    z.refine((value: object) => Object.values(value).some((entry) => entry !== undefined), {
      message: `expected at least one of ${Object.keys(shape).join(', ')}`,
      params: { hint: 'leave the key out, or say what it takes' },
    }),
  );
}
