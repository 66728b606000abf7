import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { unreadable } from './read-text-file.ts';

/** Some times what 100,000 patterns take. Reviews wait while YAML is read, a second for each MiB of rubbish. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A file as it was at one time. */
export interface PlainFile {
  readonly text: string;
  /** Its permissions, and its type. */
  readonly mode: number;
}

/**
 * Reads a file as UTF-8 that is read again and again while the service runs.
 *
 * @throws {ImageCheckerError} `file-unreadable`, with the hint given
 */
export async function readPlainFile(file: string, hint: string): Promise<PlainFile> {
  try {
    return await readPlain(file, MAX_BYTES);
  } catch (thrown) {
    throw unreadable(file, thrown, hint);
  }
}

/**
 * The same for whoever has words of his own for a failure: it throws what the system says, or an
 * error that says it. Only an ordinary file is read, since a pipe without a writer would hold up
 * that reload and every later one, and never more than so many bytes.
 */
export async function readPlain(file: string, maxBytes: number): Promise<PlainFile> {
  // Without waiting for somebody at the other end of a pipe.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (found.isDirectory()) throw new Error('it is a folder');
    if (!found.isFile()) throw new Error('it is no ordinary file');
    const tooLong = new Error(`it has more than ${maxBytes} bytes`);
    if (found.size > maxBytes) throw tooLong;
    const bytes = await handle.readFile();
    // It may still be written to.
    if (bytes.length > maxBytes) throw tooLong;
    return { text: bytes.toString('utf8'), mode: found.mode };
  } finally {
    await handle.close();
  }
}
