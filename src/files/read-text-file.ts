import { readFile } from 'node:fs/promises';
import { ImageCheckerError, messageOf, systemCode } from '../errors.ts';

/**
 * Reads a file as UTF-8.
 *
 * @throws {ImageCheckerError} `file-unreadable`, with the hint given
 */
export async function readTextFile(file: string, hint: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw unreadable(file, thrown, hint);
  }
}

/** The error for a file that could not be read. */
export function unreadable(file: string, thrown: unknown, hint: string): ImageCheckerError {
  const problem = { file, message: `cannot be read: ${systemMessage(thrown)}`, hint };
  return new ImageCheckerError('file-unreadable', problem, { cause: thrown });
}

const SYSTEM_MESSAGES: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'a part of the path is no folder'],
]);

/** A system error in words, without the path, which our messages name already. */
export function systemMessage(thrown: unknown): string {
  return SYSTEM_MESSAGES.get(systemCode(thrown)) ?? messageOf(thrown);
}
