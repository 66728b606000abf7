import assert from 'node:assert/strict';
import { parseImageReference } from '../../../src/parse/image-reference.ts';
import { matchesReference, parseImagePattern } from '../../../src/parse/image-pattern.ts';
import { parseRegistryPattern } from '../../../src/parse/registry-pattern.ts';
import { oracleTakes } from '../../parse/pattern-oracle.ts';
import { isWithinOracle } from '../oracle-bounds.ts';
import { textOf } from '../text.ts';

/** The first line is a pattern, the second an image that it takes or does not take. */
export function fuzz(data: Uint8Array): void {
  const [source = '', image = ''] = textOf(data).split('\n');
  parseRegistryPattern(source);
  const parsed = parseImagePattern(source);
  const read = parseImageReference(image);
  if (!parsed.ok || !read.ok || !isWithinOracle(source)) return;
  for (const reading of ['as-written', 'as-proof'] as const) {
    const expected = oracleTakes(source, read.reference, reading === 'as-proof');
    assert.equal(matchesReference(parsed.pattern, read.reference, reading), expected, reading);
  }
}
