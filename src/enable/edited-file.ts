import { realpath } from 'node:fs/promises';
import { ImageCheckerError } from '../errors.ts';
import { unreadable } from '../files/read-text-file.ts';
import { readRights } from '../files/replace-file.ts';
import type { FileRights } from '../files/replace-file.ts';
import { readUtf8 } from '../files/utf8.ts';

/** A file that is to be edited. */
export interface EditedFile {
  /** Behind symbolic links, which stay. */
  readonly file: string;
  readonly text: string;
  readonly rights: FileRights;
}

/** Characters: etcd would not take a manifest of that size. */
const MAX_LENGTH = 4 * 1024 * 1024;

/** @throws {ImageCheckerError} `file-unreadable`; `manifest-invalid` for what is too large */
export async function readEditedFile(named: string, hint: string): Promise<EditedFile> {
  const file = await realpath(named).catch((thrown: unknown) => {
    throw unreadable(named, thrown, hint);
  });
  const text = await readUtf8(file, file, hint);
  if (text.length > MAX_LENGTH) {
    const message = `expected at most ${MAX_LENGTH} characters, got ${text.length}`;
    throw new ImageCheckerError('manifest-invalid', { file, message });
  }
  return { file, text, rights: await readRights(file) };
}
