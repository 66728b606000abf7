import { addToList } from './add-entry.ts';
import type { EnableOptions, EnableStep } from './enable.ts';
import type { Manifest } from './manifest.ts';
import { hostPathOf, isWithin, mountOf, normalPath, readMounts, readVolumes } from './mounts.ts';
import type { Mount, Volume } from './mounts.ts';

/** What ours is called, unless the name is taken. */
export const VOLUME_NAME = 'image-checker-admission';

/** With these the kubelet takes a folder that exists. */
const FOLDER_TYPES = new Set(['', 'Directory', 'DirectoryOrCreate']);

export function addVolume(manifest: Manifest, options: EnableOptions): EnableStep | undefined {
  const volumes = readVolumes(manifest);
  if (isMounted(manifest, volumes, options) || findVolume(volumes, options) !== undefined) {
    return undefined;
  }
  const name = freeName(volumes);
  const path = normalPath(options.admission);
  const volume = { hostPath: { path, type: 'Directory' }, name };
  const { text, list } = addToList(manifest.yaml, manifest.spec, 'volumes', volume);
  const message = `add the volume ${name} of the host's ${path}`;
  return {
    text,
    change: { kind: 'volume-added', message },
    record: { volume: { name, path, list } },
  };
}

export function addMount(manifest: Manifest, options: EnableOptions): EnableStep | undefined {
  const volumes = readVolumes(manifest);
  if (isMounted(manifest, volumes, options)) return undefined;
  const name = findVolume(volumes, options)?.name ?? VOLUME_NAME;
  const mountPath = normalPath(options.mounted);
  const mount = { mountPath, name, readOnly: true };
  const { text, list } = addToList(manifest.yaml, manifest.container, 'volumeMounts', mount);
  const message = `mount ${name} at ${mountPath}, read-only`;
  return {
    text,
    change: { kind: 'mount-added', message },
    record: { mount: { name, mountPath, list } },
  };
}

/** Whether the folder is where it has to be; refuses what stands in the way. */
function isMounted(
  manifest: Manifest,
  volumes: readonly Volume[],
  { admission, mounted }: EnableOptions,
): boolean {
  const mounts = readMounts(manifest, volumes);
  const wanted = normalPath(admission);
  for (const mount of mounts) {
    const isBelow = isWithin(mount.mountPath, mounted) && mount.mountPath !== normalPath(mounted);
    if (!isBelow) continue;
    const expected = `${wanted}${mount.mountPath.slice(normalPath(mounted).length)}`;
    if (mount.source !== expected) throw inTheWay(manifest, mount, expected);
  }
  const holding = mountOf(mounts, mounted);
  if (holding === undefined) return false;
  if (hostPathOf(mounts, mounted) === wanted) return true;
  throw inTheWay(manifest, holding, wanted);
}

/**
 * Within a mount of something else the container could not start: the folder to mount on is not
 * there, and may not be made where the mount is read-only.
 */
function inTheWay({ yaml }: Manifest, mount: Mount, wanted: string): Error {
  const got = mount.source ?? `the volume ${mount.volume}`;
  return yaml.refusal(
    mount.node.range[0],
    `${mount.mountPath}: expected ${wanted} of the host to be mounted there or within, got ${got}`,
    'have kube-apiserver see the admission folder elsewhere, by --mount-path',
  );
}

function findVolume(volumes: readonly Volume[], { admission }: EnableOptions): Volume | undefined {
  const path = normalPath(admission);
  return volumes.find((volume) => volume.path === path && FOLDER_TYPES.has(volume.type));
}

function freeName(volumes: readonly Volume[]): string {
  const taken = new Set(volumes.map(({ name }) => name));
  let name = VOLUME_NAME;
  for (let count = 2; taken.has(name); count++) name = `${VOLUME_NAME}-${count}`;
  return name;
}
