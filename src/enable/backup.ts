import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ImageCheckerError, messageOf, systemCode } from '../errors.ts';
import { createSecretFile } from '../files/replace-file.ts';
import type { SwitchPlan } from './plan.ts';

/** Where the old texts are kept. */
export interface Backup {
  readonly folder: string;
  /** By the file that they are of. */
  readonly copies: ReadonlyMap<string, string>;
}

/**
 * Copies what is about to be edited into a folder of its own, with the time in its name: never in
 * the manifests folder, where the kubelet would start the copy, and never over another backup.
 */
export async function backUp(
  { edits, command }: SwitchPlan,
  stateFolder: string,
  now: Date,
): Promise<Backup> {
  const folder = await makeFolder(join(stateFolder, `${compactTime(now)}-before-${command}`));
  const copies = new Map<string, string>();
  for (const [index, { file, before }] of edits.entries()) {
    const name = basename(file);
    const taken = [...copies.values()].includes(join(folder, name));
    const copy = join(folder, taken ? `${index}-${name}` : name);
    await createSecretFile(copy, before);
    copies.set(file, copy);
  }
  return { folder, copies };
}

/** Two runs within one second are two backups. */
async function makeFolder(wanted: string, attempt = 1): Promise<string> {
  const folder = attempt === 1 ? wanted : `${wanted}-${attempt}`;
  try {
    await mkdir(folder, { mode: 0o700 });
    return folder;
  } catch (thrown) {
    if (systemCode(thrown) === 'EEXIST') return makeFolder(wanted, attempt + 1);
    const message = `expected to make it, got ${messageOf(thrown)}`;
    throw new ImageCheckerError('file-unwritable', { file: folder, message }, { cause: thrown });
  }
}

/** 20260801T120000Z */
function compactTime(now: Date): string {
  return now.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '');
}
