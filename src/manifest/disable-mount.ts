import type { Problem } from '../errors.ts';
import { mapsOf, stringOf } from './nodes.ts';
import type { Manifest } from './manifest.ts';
import { normalPath, readMounts, readVolumes } from './mounts.ts';
import type { ManifestRecord } from './record.ts';
import { removeFromList } from './remove-entry.ts';
import type { Step } from './steps.ts';

type Warn = (problem: Problem) => void;

/** Unless a flag still reads from it: kube-apiserver would not start again. */
export function takeOutMount(
  manifest: Manifest,
  { mount: added }: ManifestRecord,
  warn: Warn,
): Step | undefined {
  const { yaml, container } = manifest;
  const mount = readMounts(manifest, readVolumes(manifest)).find(
    ({ volume, mountPath }) => volume === added?.name && mountPath === added.mountPath,
  );
  if (added === undefined || mount === undefined) return undefined;
  const reader = wordThatReads(manifest, added.mountPath);
  if (reader !== undefined) {
    const message = `the mount of ${added.mountPath} stays: ${reader} reads from it`;
    warn(yaml.problem(mount.node.range[0], message));
    return undefined;
  }
  const place = { map: container, key: 'volumeMounts', list: added.list };
  const message = `take out the mount of ${added.name} at ${added.mountPath}`;
  return {
    text: removeFromList(yaml, place, mount.index),
    change: { kind: 'mount-removed', message },
  };
}

/** Unless a mount still uses it: the pod would not be valid. */
export function takeOutVolume(
  manifest: Manifest,
  { volume: added }: ManifestRecord,
  warn: Warn,
): Step | undefined {
  const { yaml, spec } = manifest;
  const volume = readVolumes(manifest).find(
    ({ name, path }) => name === added?.name && path === normalPath(added.path),
  );
  if (added === undefined || volume === undefined) return undefined;
  if (isUsed(manifest, added.name)) {
    const message = `the volume ${added.name} stays: a container mounts it`;
    warn(yaml.problem(spec.range[0], message));
    return undefined;
  }
  const place = { map: spec, key: 'volumes', list: added.list };
  const message = `take out the volume ${added.name} of the host's ${added.path}`;
  return {
    text: removeFromList(yaml, place, volume.index),
    change: { kind: 'volume-removed', message },
  };
}

/** Some flags hold several paths, or a path behind a scheme. */
function wordThatReads({ words }: Manifest, folder: string): string | undefined {
  return words.find(({ value }) => `${value}/`.includes(`${folder}/`))?.value;
}

function isUsed({ yaml, spec }: Manifest, name: string): boolean {
  return ['containers', 'initContainers']
    .flatMap((key) => mapsOf(yaml, spec, key))
    .flatMap((container) => mapsOf(yaml, container, 'volumeMounts'))
    .some((mount) => stringOf(yaml, mount, 'name') === name);
}
