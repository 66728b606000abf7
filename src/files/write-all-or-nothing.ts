import { dirname } from 'node:path';
import { ImageCheckerError, messageOf, systemCode } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { parentFoldersOf } from './write-plan.ts';
import type { FileToWrite, FolderToMake, WritePlan } from './write-plan.ts';
import { temporaryPath } from './write-temporary.ts';
import { unlessGone, WriteTransaction } from './write-transaction.ts';
import type { WritePorts } from './write-transaction.ts';

/** What file systems without hard links say. */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** What file systems say whose folders cannot be synced. */
const NO_FOLDER_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EISDIR', 'EPERM']);

/**
 * Writes every file of the plan or none of them. The folders may lie on different file systems, and
 * may be mount points, which cannot be renamed: so each file is written beside its place, synced,
 * and then moved. Whatever goes wrong on the way, all that was done is undone.
 *
 * @returns what could not be tidied away after everything was in place.
 * @throws ImageCheckerError `file-unwritable`; the signal's reason.
 */
export async function writeAllOrNothing(
  plan: WritePlan,
  ports: WritePorts,
): Promise<readonly Problem[]> {
  const transaction = new WriteTransaction(ports);
  try {
    for (const folder of plan.folders) await makeFolder(folder, transaction);
    for (const file of plan.files) await stage(file, transaction);
    for (const file of plan.files) await place(file, transaction);
    for (const folder of parentFoldersOf(plan.files)) await syncFolder(folder, transaction);
  } catch (thrown) {
    throw withProblems(thrown, await transaction.rollBack());
  }
  return removeReplaced(plan.files, transaction);
}

/** Makes a folder and what is missing above it. */
async function makeFolder({ path, mode }: FolderToMake, tx: WriteTransaction): Promise<void> {
  if (await isFolder(path, tx)) return;
  await makeFolder({ path: dirname(path), mode: 0o755 }, tx);
  await tx.step(path, () => tx.fs.mkdir(path, { mode: 0o700 }));
  tx.onRollBack(path, () => unlessGone(tx.fs.rmdir(path)));
  await tx.step(path, () => tx.fs.chmod(path, mode)); // whatever the umask
}

async function isFolder(path: string, tx: WriteTransaction): Promise<boolean> {
  return tx.step(path, async () => {
    try {
      if ((await tx.fs.stat(path)).isDirectory()) return true;
    } catch (thrown) {
      if (systemCode(thrown) === 'ENOENT') return false;
      throw thrown;
    }
    throw new Error('something that is no folder');
  });
}

/** Writes the file's content beside its place. */
async function stage(file: FileToWrite, tx: WriteTransaction): Promise<void> {
  const { path } = file;
  const staged = temporaryPath(path, tx.token, 'new');
  // Exclusive, and nobody else's from the first byte, whatever the umask and the file's final mode.
  const handle = await tx.step(path, () => tx.fs.open(staged, 'wx', 0o600));
  tx.onRollBack(staged, () => unlessGone(tx.fs.unlink(staged)));
  try {
    await tx.step(path, () => handle.writeFile(file.content));
    await tx.step(path, () => keepOwner(handle, file));
    await tx.step(path, () => handle.chmod(file.mode));
    await tx.step(path, () => handle.sync());
  } finally {
    await tx.attempt(path, () => handle.close());
  }
}

/** The service may run as another user, who must be able to read a replaced key as before. */
async function keepOwner(
  handle: Awaited<ReturnType<WriteTransaction['fs']['open']>>,
  { replaces }: FileToWrite,
): Promise<void> {
  if (replaces === undefined) return;
  const { uid, gid } = await handle.stat();
  if (uid !== replaces.uid || gid !== replaces.gid) await handle.chown(replaces.uid, replaces.gid);
}

async function place(file: FileToWrite, tx: WriteTransaction): Promise<void> {
  const { path } = file;
  const staged = temporaryPath(path, tx.token, 'new');
  if (file.replaces !== undefined) {
    await setAside(path, tx);
    await tx.step(path, () => tx.fs.rename(staged, path));
    return;
  }
  // A link, as a rename would take the place of a file that somebody else has just made.
  const linked = await tryLink(staged, path, tx);
  if (!linked) await tx.step(path, () => tx.fs.rename(staged, path));
  tx.onRollBack(path, () => unlessGone(tx.fs.unlink(path)));
  if (linked) await tx.step(path, () => tx.fs.unlink(staged));
}

/** Gives the file that is there a second name, under which it can come back. */
async function setAside(path: string, tx: WriteTransaction): Promise<void> {
  const old = temporaryPath(path, tx.token, 'old');
  if (!(await tryLink(path, old, tx))) await tx.step(path, () => tx.fs.rename(path, old));
  tx.onRollBack(path, async () => {
    await tx.fs.rename(old, path);
    await unlessGone(tx.fs.unlink(old)); // a rename between two names of one file does nothing
  });
}

async function tryLink(from: string, to: string, tx: WriteTransaction): Promise<boolean> {
  return tx.step(to, async () => {
    try {
      await tx.fs.link(from, to);
      return true;
    } catch (thrown) {
      if (NO_HARD_LINKS.has(systemCode(thrown))) return false;
      throw thrown;
    }
  });
}

async function syncFolder(path: string, tx: WriteTransaction): Promise<void> {
  const handle = await tx.step(path, () => tx.fs.open(path, 'r'));
  try {
    await tx.step(path, () => handle.sync());
  } catch (thrown) {
    const cause = thrown instanceof ImageCheckerError ? thrown.cause : thrown;
    if (!NO_FOLDER_SYNC.has(systemCode(cause))) throw thrown;
  } finally {
    await tx.attempt(path, () => handle.close());
  }
}

/** Everything is in place: what cannot be removed any more is told, not undone. */
async function removeReplaced(
  files: readonly FileToWrite[],
  tx: WriteTransaction,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const { path } of files.filter((file) => file.replaces !== undefined)) {
    const old = temporaryPath(path, tx.token, 'old');
    try {
      await tx.fs.unlink(old);
    } catch (thrown) {
      problems.push({ file: old, message: `expected to remove it, got ${messageOf(thrown)}` });
    }
  }
  return problems;
}

function withProblems(thrown: unknown, problems: readonly Problem[]): unknown {
  if (problems.length === 0 || !(thrown instanceof ImageCheckerError)) return thrown;
  return new ImageCheckerError(thrown.code, [...thrown.problems, ...problems], { cause: thrown });
}
