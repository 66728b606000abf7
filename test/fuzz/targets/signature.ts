import assert from 'node:assert/strict';
import { FOR_THE_IMAGE, SIGNED } from '../signed.ts';
import { trustedIn } from '../trusted-layer.ts';

/**
 * A layer (its first line the descriptor, the rest the blob) counts for an image when what it says
 * is, byte for byte, what somebody trusted has signed for that image; and never otherwise.
 */
export async function fuzz(data: Uint8Array): Promise<void> {
  for (const { how, hash, speaks } of await trustedIn(data)) {
    const signed: readonly string[] = SIGNED[how];
    assert.ok(signed.includes(hash), `signed by nobody (${how})`);
    assert.equal(speaks, FOR_THE_IMAGE.includes(hash));
  }
}
