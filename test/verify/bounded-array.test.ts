import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { boundedArray } from '../../src/verify/bounded-array.ts';

const schema = boundedArray(z.string(), 3);

describe('a bounded list', () => {
  it.each([[['a']], [['a', 'b', 'c']]])('is read: %j', (value) => {
    expect(schema.parse(value)).toEqual(value);
  });

  it.each<[string, unknown]>([
    ['an empty one', []],
    ['one with an item too many', ['a', 'b', 'c', 'd']],
    ['one with a wrong item', ['a', 1]],
    ['nothing', undefined],
    ['a mapping', { length: 1, 0: 'a' }],
  ])('is not: %s', (_what, value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });

  it('is refused at once when it is too long, with no issue for each wrong item', () => {
    expect(schema.safeParse([1, 2, 3, 4]).error?.issues).toHaveLength(1);
  });
});
