import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** `new`: what is about to be put into place; `old`: what was there, until the run is over. */
type Temporary = 'new' | 'old';

const TEMPORARY_NAME = /^\..+\.image-checker-[0-9a-f]+\.(?:new|old)$/;

/** Beside the file, so that a rename never leaves its file system; hidden, and like no other name. */
export function temporaryPath(path: string, token: string, kind: Temporary): string {
  return join(dirname(path), `.${basename(path)}.image-checker-${token}.${kind}`);
}

/** What runs that were killed left behind in these folders; they are in nobody's way. */
export async function findTemporaryFiles(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const names = await readdir(folder).catch((): string[] => []);
    found.push(...names.filter((name) => TEMPORARY_NAME.test(name)).map((n) => join(folder, n)));
  }
  return found;
}
