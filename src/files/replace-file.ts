import { randomBytes } from 'node:crypto';
import { open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ImageCheckerError, systemCode } from '../errors.ts';
import { systemMessage } from './read-text-file.ts';
import { temporaryPath } from './write-temporary.ts';
import { unlessGone } from './write-transaction.ts';

export interface FileRights {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** @param file absolute, no symbolic link @throws what stat throws */
export async function readRights(file: string): Promise<FileRights> {
  const { mode, uid, gid } = await stat(file);
  return { mode: mode & 0o7777, uid, gid };
}

/**
 * Puts a new text in the place of a file, in one rename from a dot-file beside it: whoever watches
 * the folder sees the old file or the new one, never none and never a part. Both last through a
 * loss of power.
 *
 * @throws {ImageCheckerError} `file-unwritable`; the file is as it was then
 */
export async function replaceFile(file: string, text: string, rights: FileRights): Promise<void> {
  const staged = temporaryPath(file, randomBytes(8).toString('hex'), 'new');
  try {
    await stage(staged, text, rights);
    await rename(staged, file);
  } catch (thrown) {
    await unlessGone(unlink(staged)).catch(() => undefined);
    throw unwritable(file, thrown);
  }
  await syncFolder(dirname(file));
}

/** Makes a file that must not be there yet, for its owner alone: whole, or not at all. */
export async function createSecretFile(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600).catch((thrown: unknown) => {
    throw unwritable(file, thrown);
  });
  try {
    await handle.writeFile(text).then(() => handle.sync());
  } catch (thrown) {
    await unlessGone(unlink(file)).catch(() => undefined);
    throw unwritable(file, thrown);
  } finally {
    await handle.close();
  }
  await syncFolder(dirname(file));
}

async function stage(staged: string, text: string, rights: FileRights): Promise<void> {
  const handle = await open(staged, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    const { uid, gid } = await handle.stat();
    if (uid !== rights.uid || gid !== rights.gid) await handle.chown(rights.uid, rights.gid);
    await handle.chmod(rights.mode); // behind chown, which clears bits; whatever the umask
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What cannot be synced is in place all the same. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // Some file systems cannot sync a folder.
  }
}

function unwritable(file: string, thrown: unknown): ImageCheckerError {
  const hint = systemCode(thrown) === 'EACCES' ? { hint: 'run it as root' } : {};
  const problem = { file, message: `cannot be written: ${systemMessage(thrown)}`, ...hint };
  return new ImageCheckerError('file-unwritable', problem, { cause: thrown });
}
