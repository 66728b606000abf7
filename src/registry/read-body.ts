import type { IncomingMessage } from 'node:http';
import type { ByteBudget } from './byte-budget.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  /** Of all bodies that are being read. */
  readonly budget: ByteBudget;
}

/** Why a body was not read to its end. */
export type BodyRefusal = 'too large' | 'too much around it' | 'no room';

/**
 * What may come over the wire beside a body: chunks of one byte, or records of TLS, cost much more
 * than they carry, also here. A registry that means well has some bytes for each thousand.
 */
const MAX_FACTOR = 4;
const MAX_EXTRA_BYTES = 256 * 1024;
/** Bytes that are taken first; twice as many whenever they do not do. */
const FIRST_BYTES = 16 * 1024;

/**
 * Reads a body, and gives the connection up when it is too much. Pieces are copied together: each
 * of them, however small, would keep what was read from the network with it.
 *
 * @param heard called with the size of each piece
 * @throws what the connection breaks with
 */
export async function readBody(
  response: IncomingMessage,
  { maxBytes, budget }: BodyLimits,
  heard: (bytes: number) => void,
): Promise<Uint8Array | BodyRefusal> {
  let held = Buffer.alloc(0);
  let length = 0;
  const { socket } = response;
  const before = socket.bytesRead;
  const makeRoom = (needed: number): boolean => {
    const size = Math.min(Math.max(FIRST_BYTES, needed, 2 * held.length), maxBytes);
    if (!budget.take(size - held.length)) return false;
    const larger = Buffer.alloc(size);
    held.copy(larger, 0, 0, length);
    held = larger;
    return true;
  };
  try {
    // Leaving the loop early destroys the response.
    for await (const piece of response as AsyncIterable<Uint8Array>) {
      heard(piece.length);
      const needed = length + piece.length;
      if (needed > maxBytes) return 'too large';
      const around = socket.bytesRead - before - MAX_FACTOR * needed;
      if (around > MAX_EXTRA_BYTES) return 'too much around it';
      if (needed > held.length && !makeRoom(needed)) return 'no room';
      held.set(piece, length);
      length = needed;
    }
    return held.subarray(0, length);
  } finally {
    budget.give(held.length);
  }
}
