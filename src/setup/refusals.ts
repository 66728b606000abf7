import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import type { ExistingFile, Inventory } from './inventory.ts';
import type { Layout } from './layout.ts';
import type { OnExisting } from './options.ts';

/**
 * The service's secrets must never be mounted into the apiserver, nor the apiserver's key be found
 * among the service's files.
 *
 * @throws ImageCheckerError `setup-refused`
 */
export async function refuseOverlap(layout: Layout): Promise<void> {
  const admission = await realPath(layout.admission);
  for (const folder of [layout.service, layout.pki]) {
    const real = await realPath(folder);
    if (!within(real, admission) && !within(admission, real) && !(await same(real, admission))) {
      continue;
    }
    throw new ImageCheckerError('setup-refused', {
      message: `expected --dir and --service-dir apart, got ${layout.admission} and ${folder}`,
      hint: "kube-apiserver mounts --dir: the service's keys must lie neither in it nor above it",
    });
  }
}

/** @throws ImageCheckerError `setup-refused` that names every file in the way. */
export function refuseExisting(inventory: Inventory, onExisting: OnExisting): void {
  const problems = [...inventory.values()].flatMap((file) => refusal(file, onExisting));
  if (problems.length > 0) throw new ImageCheckerError('setup-refused', hintLast(problems));
}

function refusal({ path, presence }: ExistingFile, onExisting: OnExisting): Problem[] {
  const got = presence === 'link' ? 'a symbolic link' : 'something that is no file';
  const odd = { file: path, message: `expected a file or nothing, got ${got}` };
  if (presence === 'other') return [{ ...odd, hint: 'look at it, and move it out of the way' }];
  if (onExisting === 'keep') return [];
  if (onExisting === 'refuse') {
    return [{ file: path, message: 'expected nothing here yet, got a file' }];
  }
  return presence === 'link'
    ? [{ ...odd, hint: 'setup does not write through a link: move it out of the way' }]
    : [];
}

/** One hint for them all, where none has its own. */
function hintLast(problems: readonly Problem[]): Problem[] {
  const hint =
    '--if-missing makes only what is not there; --force makes everything anew, keeping a copy';
  return problems.map((problem, index) =>
    index === problems.length - 1 && problem.hint === undefined ? { ...problem, hint } : problem,
  );
}

/** The path without links; what does not exist yet is taken as written. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realPath(parent), basename(path));
  }
}

function within(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith('../') && !isAbsolute(way));
}

/** One folder under two names, as with a bind mount. */
async function same(one: string, other: string): Promise<boolean> {
  try {
    const [a, b] = await Promise.all([stat(one), stat(other)]);
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}
