import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { unreadable } from './read-text-file.ts';

/** Far beyond 100,000 patterns; a file of this size is not what was meant. */
const MAX_BYTES = 64 * 1024 * 1024;

/** A file as it was at one time. */
export interface PlainFile {
  readonly text: string;
  /** Its permissions, and its type. */
  readonly mode: number;
}

/**
 * Reads a file as UTF-8 that is read again and again while the service runs: only an ordinary one,
 * since a pipe without a writer would hold up that reload and every later one, and a bounded one.
 *
 * @throws {ImageCheckerError} `file-unreadable`, with the hint given
 */
export async function readPlainFile(file: string, hint: string): Promise<PlainFile> {
  try {
    // Without waiting for somebody at the other end of a pipe.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await readHandle(handle);
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    throw unreadable(file, thrown, hint);
  }
}

async function readHandle(handle: FileHandle): Promise<PlainFile> {
  const found = await handle.stat();
  if (found.isDirectory()) throw new Error('it is a folder');
  if (!found.isFile()) throw new Error('it is no ordinary file');
  if (found.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
  return { text: await handle.readFile('utf8'), mode: found.mode };
}
