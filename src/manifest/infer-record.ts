import type { EnableOptions } from './enable.ts';
import { VOLUME_NAME } from './enable-mount.ts';
import { CONFIG_FLAG, ENABLE_FLAG, flagsNamed, PLUGIN, readManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { normalPath, readMounts, readVolumes } from './mounts.ts';
import { pluginsOf } from './plugin-list.ts';
import type { AddedFlag, AddedMount, AddedVolume, ChangedWord, ManifestRecord } from './record.ts';

/**
 * What enable seems to have done, for a manifest whose record is lost: the plugin in the list, the
 * flag with exactly our file, the volume and the mount with our name and exactly our folder.
 * Whether `--disable-admission-plugins` named the plugin cannot be told.
 *
 * @throws ImageCheckerError `manifest-invalid`
 */
export function inferRecord(text: string, options: EnableOptions): ManifestRecord {
  const manifest = readManifest(text, options.file);
  const volume = inferVolume(manifest, options);
  const mount = volume === undefined ? undefined : inferMount(manifest, options, volume.name);
  return {
    version: 1,
    flags: [...inferPluginFlag(manifest), ...inferConfigFlag(manifest, options)],
    words: inferWords(manifest),
    ...(volume === undefined ? {} : { volume }),
    ...(mount === undefined ? {} : { mount }),
  };
}

/** A flag that names our plugin alone does nothing without it, so it may go. */
function inferPluginFlag(manifest: Manifest): AddedFlag[] {
  const alone = flagsNamed(manifest, ENABLE_FLAG).some(({ value }) => value === PLUGIN);
  return alone ? [{ name: ENABLE_FLAG, value: PLUGIN }] : [];
}

function inferWords(manifest: Manifest): ChangedWord[] {
  return flagsNamed(manifest, ENABLE_FLAG).flatMap((flag, occurrence) => {
    const isNamed = pluginsOf(manifest.yaml, flag).includes(PLUGIN);
    return isNamed && flag.value !== PLUGIN ? [{ flag: ENABLE_FLAG, occurrence }] : [];
  });
}

function inferConfigFlag(manifest: Manifest, { configFile }: EnableOptions): AddedFlag[] {
  return flagsNamed(manifest, CONFIG_FLAG)
    .filter(({ value }) => normalPath(value) === normalPath(configFile))
    .map(({ name, value }) => ({ name, value }));
}

function inferVolume(manifest: Manifest, { admission }: EnableOptions): AddedVolume | undefined {
  const volumes = readVolumes(manifest);
  const ours = volumes.find(
    ({ name, path, type }) =>
      isOurName(name) && path === normalPath(admission) && type === 'Directory',
  );
  if (ours?.path === undefined) return undefined;
  return { name: ours.name, path: ours.path, list: volumes.length === 1 ? 'added' : 'kept' };
}

function inferMount(
  manifest: Manifest,
  { mounted }: EnableOptions,
  volume: string,
): AddedMount | undefined {
  const mounts = readMounts(manifest, readVolumes(manifest));
  const ours = mounts.find(
    (mount) => mount.volume === volume && mount.mountPath === normalPath(mounted) && mount.readOnly,
  );
  if (ours === undefined) return undefined;
  return {
    name: volume,
    mountPath: ours.mountPath,
    list: mounts.length === 1 ? 'added' : 'kept',
  };
}

/** Ours is numbered where the name was taken. */
function isOurName(name: string): boolean {
  return name === VOLUME_NAME || /^-\d+$/.test(name.replace(VOLUME_NAME, ''));
}
