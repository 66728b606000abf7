import { readlink } from 'node:fs/promises';
import { posix } from 'node:path';
import { systemCode } from '../errors.ts';
import { hostPathOf, mountOf } from '../manifest/mounts.ts';
import type { Mount } from '../manifest/mounts.ts';
import { exists } from './disk.ts';
import type { Findings } from './finding.ts';
import type { Located } from './host-view.ts';

/** Linux gives up after so many. */
const MAX_LINKS = 40;

/**
 * A symbolic link is followed within kube-apiserver's container: one that leads out of what is
 * mounted is there on the host, and leads nowhere in the container.
 */
export async function checkLinks(
  located: readonly Located[],
  mounts: readonly Mount[],
  findings: Findings,
): Promise<void> {
  for (const { path, host, way } of located) {
    if (way !== 'mounted' || !(await exists(host))) continue;
    const end = await follow(path, mounts);
    const seen = hostPathOf(mounts, end);
    if (seen !== undefined && (await exists(seen))) continue;
    const message = `expected a file that kube-apiserver sees, got a link to ${end}, which is not mounted`;
    const hint = `put the file itself at ${host}`;
    findings.fail('mount-links', { file: host, message, hint });
  }
}

/** Where a path of the container ends, all links followed. */
async function follow(path: string, mounts: readonly Mount[]): Promise<string> {
  let at = '/';
  let rest = partsOf(path);
  for (let links = 0; rest.length > 0;) {
    const [name = '', ...others] = rest;
    const next = posix.join(at, name);
    const target = links < MAX_LINKS ? await linkAt(next, mounts) : undefined;
    rest = target === undefined ? others : [...partsOf(posix.resolve(at, target)), ...others];
    at = target === undefined ? next : '/';
    if (target !== undefined) links += 1;
  }
  return at;
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

/** The text of a link within a mount; what is mounted itself was followed on the host. */
async function linkAt(path: string, mounts: readonly Mount[]): Promise<string | undefined> {
  const host = hostPathOf(mounts, path);
  if (host === undefined || mountOf(mounts, path)?.mountPath === path) return undefined;
  try {
    return await readlink(host);
  } catch (thrown) {
    // EINVAL: it is no link.
    if (['EINVAL', 'ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(thrown))) {
      return undefined;
    }
    throw thrown;
  }
}
