import { basename, join } from 'node:path';
import { hostPathOf, mountOf, normalPath } from '../manifest/mounts.ts';
import type { Mount } from '../manifest/mounts.ts';
import { exists } from './disk.ts';

/** How a path of kube-apiserver's container was found on this machine. */
type Way = 'mounted' | 'elsewhere' | 'unmounted' | 'as-is';

export interface Located {
  /** As kube-apiserver sees it. */
  readonly path: string;
  readonly host: string;
  readonly way: Way;
}

/** Finds the files that kube-apiserver reads on this machine, and remembers which they were. */
export class HostView {
  readonly #mounts: readonly Mount[] | undefined;
  readonly #dir: string | undefined;
  readonly #located = new Map<string, Located>();

  /** @param mounts undefined where there is no manifest: paths are taken as they are */
  constructor(mounts: readonly Mount[] | undefined, dir: string | undefined) {
    this.#mounts = mounts;
    this.#dir = dir;
  }

  get located(): readonly Located[] {
    return [...this.#located.values()];
  }

  async locate(path: string): Promise<Located> {
    const known = this.#located.get(path);
    if (known !== undefined) return known;
    const located = await this.#find(path);
    this.#located.set(path, located);
    return located;
  }

  async #find(path: string): Promise<Located> {
    const mounted = this.#mounts === undefined ? undefined : hostPathOf(this.#mounts, path);
    if (mounted !== undefined && (await exists(mounted))) {
      return { path, host: mounted, way: 'mounted' };
    }
    const other = await this.#findOutside(path);
    if (mounted === undefined) {
      const way = this.#mounts === undefined ? 'as-is' : 'unmounted';
      return { path, host: other ?? path, way };
    }
    if (other === undefined || other === mounted) return { path, host: mounted, way: 'mounted' };
    return { path, host: other, way: 'elsewhere' };
  }

  /** Where the file lies if not where the mounts say. */
  async #findOutside(path: string): Promise<string | undefined> {
    if (await exists(path)) return normalPath(path);
    const source = this.#mounts && mountOf(this.#mounts, path)?.source;
    if (source !== undefined && (await exists(source))) return undefined;
    const inFolder = this.#dir === undefined ? undefined : join(this.#dir, basename(path));
    return inFolder !== undefined && (await exists(inFolder)) ? inFolder : undefined;
  }
}
