import assert from 'node:assert/strict';
import { isLocalImageId, parseImageReference } from '../../../src/parse/image-reference.ts';
import { oracleParse } from '../../parse/reference-oracle.ts';
import { textOf } from '../text.ts';

/** Any string is read as the Go library reads it. */
export function fuzz(data: Uint8Array): void {
  const image = textOf(data);
  const parsed = parseImageReference(image);
  const expected = oracleParse(image);
  assert.deepEqual(parsed.ok ? partsOf(parsed.reference) : parsed, expected);
  assert.equal(isLocalImageId(image), /^sha(256|384|512):[0-9a-fA-F]*$/.test(image));
  if (!parsed.ok || parsed.reference.registry === '') return;
  const again = parseImageReference(parsed.reference.normalized);
  assert.deepEqual(again.ok && partsOf(again.reference), partsOf(parsed.reference));
}

function partsOf({ registry, repository, tag, digest }: ReferenceParts): object {
  return { ok: true, registry, repository, tag, digest };
}

interface ReferenceParts {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}
