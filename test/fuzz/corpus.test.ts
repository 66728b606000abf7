import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { corpusOf, TARGET_NAMES, TARGETS } from './targets.ts';

describe.each(TARGET_NAMES)('the kept inputs of %s', (name) => {
  it.each(corpusOf(name))('break no promise: $file', ({ data }) => {
    TARGETS[name](data);
  });
});

it('every target is fuzzed', () => {
  const files = readdirSync(new URL('targets/', import.meta.url));
  expect(TARGET_NAMES.toSorted()).toEqual(files.map((file) => file.replace('.ts', '')).toSorted());
});
