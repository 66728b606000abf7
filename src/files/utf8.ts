import { readFile } from 'node:fs/promises';
import { ImageCheckerError } from '../errors.ts';
import { unreadable } from './read-text-file.ts';

/**
 * Reads a file that is to be written again.
 *
 * @param named as the user named it
 * @throws {ImageCheckerError} `file-unreadable`, with the hint given where it is not there
 */
export async function readUtf8(file: string, named: string, hint: string): Promise<string> {
  const bytes = await readFile(file).catch((thrown: unknown) => {
    throw unreadable(named, thrown, hint);
  });
  return decodeUtf8(bytes, named);
}

/**
 * The text of a file that is to be written again: its bytes are those of the text, and none is lost.
 *
 * @param file as the user named it
 * @throws {ImageCheckerError} `file-unreadable` with the line of the first byte that is no UTF-8
 */
export function decodeUtf8(bytes: Buffer, file: string): string {
  const text = bytes.toString('utf8');
  const again = Buffer.from(text);
  if (again.equals(bytes)) return text;
  // -1 in front of half a character at the end, which is also where it is then.
  const at = bytes.findIndex((byte, index) => byte !== again[index]);
  const line = bytes.subarray(0, at).toString('latin1').split('\n').length;
  const byte = (bytes.at(at) ?? 0).toString(16).toUpperCase().padStart(2, '0');
  const message = `expected UTF-8, got the byte 0x${byte}`;
  const hint = 'save it as UTF-8';
  throw new ImageCheckerError('file-unreadable', { file, line, message, hint });
}
