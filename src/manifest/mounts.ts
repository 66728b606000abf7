import { posix } from 'node:path';
import { mapOf, mapsOf, stringOf, valueOf } from './nodes.ts';
import type { Manifest } from './manifest.ts';
import type { MapNode, YamlText } from './yaml-text.ts';

export interface Volume {
  readonly index: number;
  readonly name: string;
  /** The folder or file of the host, of a hostPath volume. */
  readonly path: string | undefined;
  readonly type: string;
}

export interface Mount {
  readonly index: number;
  readonly node: MapNode;
  readonly volume: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
  /** What of the host is mounted; undefined when it is nothing of the host. */
  readonly source: string | undefined;
}

export function readVolumes({ yaml, spec }: Manifest): Volume[] {
  return mapsOf(yaml, spec, 'volumes').map((volume, index) => {
    const hostPath = mapOf(yaml, volume, 'hostPath');
    const path = hostPath === undefined ? undefined : stringOf(yaml, hostPath, 'path');
    return {
      index,
      name: stringOf(yaml, volume, 'name') ?? '',
      path: path === undefined ? undefined : normalPath(path),
      type: (hostPath === undefined ? undefined : stringOf(yaml, hostPath, 'type')) ?? '',
    };
  });
}

/** What kube-apiserver's container mounts. */
export function readMounts({ yaml, container }: Manifest, volumes: readonly Volume[]): Mount[] {
  return mapsOf(yaml, container, 'volumeMounts').map((node, index) => {
    const volume = stringOf(yaml, node, 'name') ?? '';
    return {
      index,
      node,
      volume,
      mountPath: normalPath(stringOf(yaml, node, 'mountPath') ?? ''),
      readOnly: isTrue(yaml, node, 'readOnly'),
      source: sourceOf(yaml, node, volumes.find(({ name }) => name === volume)?.path),
    };
  });
}

function isTrue(yaml: YamlText, map: MapNode, key: string): boolean {
  const value = valueOf(yaml, map, key);
  return value !== undefined && 'value' in value && value.value === true;
}

function sourceOf(yaml: YamlText, mount: MapNode, path: string | undefined): string | undefined {
  if (path === undefined || valueOf(yaml, mount, 'subPathExpr') !== undefined) return undefined;
  return normalPath(posix.join(path, stringOf(yaml, mount, 'subPath') ?? ''));
}

/** The mount that decides what is seen at a path: the innermost one that holds it. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  return mounts
    .filter(({ mountPath }) => isWithin(path, mountPath))
    .toSorted((a, b) => b.mountPath.length - a.mountPath.length)[0];
}

/** What of the host is seen at a path of the container; undefined when it is nothing of the host. */
export function hostPathOf(mounts: readonly Mount[], path: string): string | undefined {
  const mount = mountOf(mounts, path);
  if (mount?.source === undefined) return undefined;
  return normalPath(posix.join(mount.source, normalPath(path).slice(mount.mountPath.length)));
}

export function isWithin(path: string, folder: string): boolean {
  const outer = normalPath(folder);
  const inner = normalPath(path);
  return inner === outer || inner.startsWith(outer === '/' ? outer : `${outer}/`);
}

/** Without `.`, `..`, doubled and trailing slashes. */
export function normalPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}
