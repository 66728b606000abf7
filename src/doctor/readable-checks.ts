import { stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import type { Findings } from './finding.ts';

type Access = Pick<Stats, 'uid' | 'mode'>;

const ROOT = 0;
const BY_OWNER = 0o400;
const BY_OTHERS = 0o044;

/**
 * Whether the service can read its files. It runs as the user whose key it is, when nobody else may
 * read that; who is in a group is not known here.
 */
export async function checkReadable(
  key: string,
  files: readonly string[],
  findings: Findings,
): Promise<void> {
  const owner = await accessTo(key);
  if (owner === undefined) return;
  for (const file of new Set(files)) {
    const access = await accessTo(file);
    if (access === undefined || mayRead(owner, access)) continue;
    const message = `expected it to be readable for the user ${owner.uid}, whose ${key} is, got one of the user ${access.uid} alone`;
    findings.fail('service-readable', { file, message, hint: `run: chown ${owner.uid} ${file}` });
  }
}

/** False only when it is sure that the owner of the key cannot read the file. */
export function mayRead(key: Access, file: Access): boolean {
  if (key.uid === ROOT || (key.mode & BY_OTHERS) !== 0) return true;
  if ((file.mode & BY_OTHERS) !== 0) return true;
  return file.uid === key.uid && (file.mode & BY_OWNER) !== 0;
}

/** What is not there is found by others. */
function accessTo(file: string): Promise<Access | undefined> {
  return stat(file).catch(() => undefined);
}
