import { readFile, rename, unlink } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import process from 'node:process';
import { ImageCheckerError, systemCode } from '../errors.ts';
import { createSecretFile } from '../files/replace-file.ts';
import { unlessGone } from '../files/write-transaction.ts';

/**
 * Runs work that no other run of enable or disable may overlap. The lock is a file that is created
 * exclusively and names its process; that of a process which is gone is taken over.
 *
 * @throws {ImageCheckerError} `enable-refused` while another run is at work
 */
export async function locked<T>(stateFolder: string, work: () => Promise<T>): Promise<T> {
  const file = join(stateFolder, 'lock');
  await take(file, await identityOf(process.pid));
  try {
    return await work();
  } finally {
    await unlessGone(unlink(file)).catch(() => undefined);
  }
}

async function take(file: string, identity: string): Promise<void> {
  if (await create(file, identity)) return;
  const holder = await readFile(file, 'utf8').catch(() => '');
  if ((await isAlive(holder)) || !(await remove(file, holder)) || !(await create(file, identity))) {
    const message = `expected no other run of enable or disable, got process ${holder.split(' ')[0] ?? ''}`;
    const hint = `wait for it; if there is none, remove ${file}`;
    throw new ImageCheckerError('enable-refused', { file, message, hint });
  }
}

async function create(file: string, text: string): Promise<boolean> {
  try {
    await createSecretFile(file, text);
    return true;
  } catch (thrown) {
    const cause = thrown instanceof ImageCheckerError ? thrown.cause : thrown;
    if (systemCode(cause) === 'EEXIST') return false;
    throw thrown;
  }
}

/** A lock that is being written has no text yet: whoever writes it lives. */
async function isAlive(holder: string): Promise<boolean> {
  const pid = Number(holder.split(' ')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return true;
  return (await identityOf(pid)) === holder;
}

/** Two runs may find the same dead lock: only one can move it, and it looks at what it has moved. */
async function remove(file: string, holder: string): Promise<boolean> {
  const aside = `${file}-${randomBytes(8).toString('hex')}`;
  try {
    await rename(file, aside);
    const moved = await readFile(aside, 'utf8');
    if (moved === holder) return true;
    await rename(aside, file);
    return false;
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return false;
    throw thrown;
  } finally {
    await unlessGone(unlink(aside)).catch(() => undefined);
  }
}

/** Fields of /proc/PID/stat behind the command's name: state is the first. */
const START_TIME = 19;

/** The id with the start in clock ticks since boot: an id alone may be somebody else's by now. */
async function identityOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return `${pid} ${fields[START_TIME] ?? ''}`;
}
