import { open, stat } from 'node:fs/promises';
import { systemCode } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { systemMessage } from '../files/read-text-file.ts';

/** In bytes: a manifest, a kubeconfig, a bundle of certificates or a rules file is far smaller. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface DiskFile {
  readonly text: string;
  readonly mode: number;
  readonly uid: number;
}

export type ReadFile = DiskFile | { readonly problem: Problem };

/** Reads a file, whatever lies there: neither a folder, a pipe nor a link to nowhere gets further. */
export async function readDisk(file: string): Promise<ReadFile> {
  try {
    // Before it is opened: opening a pipe would wait for who writes into it.
    const found = await stat(file);
    if (!found.isFile()) return { problem: { file, message: kindProblem(found.isDirectory()) } };
    if (found.size > MAX_BYTES) {
      return {
        problem: { file, message: `expected at most ${MAX_BYTES} bytes, got ${found.size}` },
      };
    }
    const handle = await open(file, 'r');
    try {
      const text = await handle.readFile('utf8');
      const { mode, uid } = await handle.stat();
      return { text, mode: mode & 0o7777, uid };
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    const hint = systemCode(thrown) === 'EACCES' ? { hint: 'run it as root' } : {};
    return { problem: { file, message: `cannot be read: ${systemMessage(thrown)}`, ...hint } };
  }
}

function kindProblem(isFolder: boolean): string {
  return `cannot be read: ${isFolder ? 'it is a folder' : 'it is no file'}`;
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** `folder`, `file`, `other`, or undefined for nothing. */
export async function kindOf(path: string): Promise<'folder' | 'file' | 'other' | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (found.isDirectory()) return 'folder';
  return found.isFile() ? 'file' : 'other';
}
