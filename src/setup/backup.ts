import { stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { WritePlan } from '../files/write-plan.ts';
import { readExisting } from './inventory.ts';
import type { ExistingFile } from './inventory.ts';
import type { Layout } from './layout.ts';

export interface Backup extends WritePlan {
  readonly folder: string;
}

/** Copies of the files that are about to be replaced, with their modes, in a folder of their own. */
export async function planBackup(
  existing: readonly ExistingFile[],
  layout: Layout,
  now: Date,
): Promise<Backup> {
  const folder = await freeName(join(layout.service, `backup-${compactTime(now)}`));
  const copies = existing.map(async ({ path, mode }) => {
    return { path: placeIn(folder, path, layout), mode, content: await readExisting(path) };
  });
  const files = await Promise.all(copies);
  // Parents first: a folder's path is shorter than those of the folders in it.
  const folders = [
    ...new Set([folder, ...files.flatMap(({ path }) => foldersAbove(path, folder))]),
  ];
  folders.sort((a, b) => a.length - b.length);
  return { folder, files, folders: folders.map((path) => ({ path, mode: 0o700 })) };
}

function placeIn(folder: string, path: string, layout: Layout): string {
  const [name, root] = path.startsWith(join(layout.service, '/'))
    ? ['service', layout.service]
    : ['admission', layout.admission];
  return join(folder, name, relative(root, path));
}

function foldersAbove(path: string, top: string): string[] {
  const parent = dirname(path);
  return parent === top ? [] : [parent, ...foldersAbove(parent, top)];
}

/** 20260801T120000Z */
function compactTime(now: Date): string {
  return now.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
}

/** Two runs within one second are two backups. */
async function freeName(wanted: string, attempt = 1): Promise<string> {
  const name = attempt === 1 ? wanted : `${wanted}-${attempt}`;
  const taken = await stat(name).then(
    () => true,
    () => false,
  );
  return taken ? freeName(wanted, attempt + 1) : name;
}
