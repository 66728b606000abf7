import { lstat, readFile, stat } from 'node:fs/promises';
import { ImageCheckerError, systemCode } from '../errors.ts';
import { systemMessage } from '../files/read-text-file.ts';
import { ALL_TARGETS, pathOf } from './layout.ts';
import type { Layout, Target } from './layout.ts';

/** `link`: a symbolic link to a file; `other`: a folder, a device, a link to nowhere. */
export type Presence = 'file' | 'link' | 'other';

export interface ExistingFile {
  readonly path: string;
  readonly presence: Presence;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What is there already of what setup makes. */
export type Inventory = ReadonlyMap<Target, ExistingFile>;

/** @throws ImageCheckerError `file-unreadable` where it may not look. */
export async function takeInventory(layout: Layout): Promise<Inventory> {
  const inventory = new Map<Target, ExistingFile>();
  for (const target of ALL_TARGETS) {
    const existing = await lookAt(pathOf(layout, target));
    if (existing !== undefined) inventory.set(target, existing);
  }
  return inventory;
}

/** @throws ImageCheckerError `file-unreadable` */
export async function readExisting(path: string): Promise<Buffer> {
  return readingFrom(path, () => readFile(path));
}

async function lookAt(path: string): Promise<ExistingFile | undefined> {
  const stats = await readingFrom(path, () => ifThere(lstat(path)));
  if (stats === undefined) return undefined;
  const { mode, uid, gid } = stats;
  const rest = { path, mode: mode & 0o7777, uid, gid };
  if (stats.isFile()) return { ...rest, presence: 'file' };
  if (!stats.isSymbolicLink()) return { ...rest, presence: 'other' };
  const behind = await readingFrom(path, () => ifThere(stat(path)));
  return { ...rest, presence: behind?.isFile() === true ? 'link' : 'other' };
}

async function ifThere<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

async function readingFrom<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (thrown) {
    const message = `expected to read it, got ${systemMessage(thrown)}`;
    throw new ImageCheckerError('file-unreadable', { file: path, message }, { cause: thrown });
  }
}
