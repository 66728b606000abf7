import { ImageCheckerError } from '../errors.ts';
import type { Change } from './change.ts';
import { planDisable } from './disable.ts';
import { addMount, addVolume } from './enable-mount.ts';
import { addPlugin, nameConfigFile, takeOutOfDisabled } from './enable-flags.ts';
import { CONFIG_FLAG, DISABLE_FLAG, flagsNamed, OLD_FLAG, readManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { hostPathOf, normalPath, readMounts, readVolumes } from './mounts.ts';
import { mergeRecords, NOTHING_DONE } from './record.ts';
import type { ManifestRecord } from './record.ts';
import { walk } from './steps.ts';
import type { FindStep, Step } from './steps.ts';

export interface EnableOptions {
  /** The admission folder on the host. */
  readonly admission: string;
  /** The admission folder as kube-apiserver sees it. */
  readonly mounted: string;
  /** The admission configuration as kube-apiserver sees it, for a manifest that names none. */
  readonly configFile: string;
  /** The manifest as the user named it, for messages. */
  readonly file?: string;
  /** What an earlier run did: it is part of what `planDisable` undoes later. */
  readonly earlier?: ManifestRecord;
}

export interface EnablePlan {
  readonly text: string;
  /** Empty when nothing is to be done: the text is the same then. */
  readonly changes: readonly Change[];
  readonly record: ManifestRecord;
  readonly configFile: ConfigFile;
}

/** The admission configuration that kube-apiserver reads. */
export interface ConfigFile {
  /** As kube-apiserver sees it. */
  readonly path: string;
  /** On the host. */
  readonly hostPath: string;
  /** It was in use already under a path that is not ours: what we need is to be merged into it. */
  readonly foreign: boolean;
}

/** An edit of `planEnable`, with its part of the record. */
export interface EnableStep extends Step {
  readonly record: Partial<ManifestRecord>;
}

/**
 * Switches the plugin on in the text of kube-apiserver's static pod manifest; every byte that has
 * nothing to do with that stays.
 *
 * @throws ImageCheckerError `manifest-invalid`
 */
export function planEnable(text: string, options: EnableOptions): EnablePlan {
  const { file, earlier } = options;
  const manifest = readManifest(text, file);
  refuseOldFlag(manifest);
  const plan = walk(text, findersFor(manifest, options), file);
  const configFile = readConfigFile(readManifest(plan.text, file), options);
  const record = plan.steps.map((step) => step.record).reduce(addToRecord, NOTHING_DONE);
  expectSafe(text, plan.text, record, options);
  return {
    text: plan.text,
    changes: plan.steps.map(({ change }) => change),
    record: earlier === undefined ? record : mergeRecords(earlier, record),
    configFile,
  };
}

function findersFor(manifest: Manifest, options: EnableOptions): FindStep<EnableStep>[] {
  return [
    ...flagsNamed(manifest, DISABLE_FLAG).map(() => takeOutOfDisabled),
    addPlugin,
    (current) => nameConfigFile(current, options),
    (current) => addVolume(current, options),
    (current) => addMount(current, options),
  ];
}

function addToRecord(record: ManifestRecord, done: Partial<ManifestRecord>): ManifestRecord {
  return {
    ...record,
    ...done,
    flags: [...record.flags, ...(done.flags ?? [])],
    words: [...record.words, ...(done.words ?? [])],
  };
}

function refuseOldFlag(manifest: Manifest): void {
  const old = flagsNamed(manifest, OLD_FLAG)[0];
  if (old === undefined) return;
  throw manifest.yaml.refusal(
    old.valueWord.node.range[0],
    `expected --enable-admission-plugins, got --${OLD_FLAG}, which excludes it`,
    'name what differs from the default by --enable-admission-plugins and --disable-admission-plugins',
  );
}

function readConfigFile(manifest: Manifest, options: EnableOptions): ConfigFile {
  // Of a flag that holds one value, Go keeps the last.
  const flag = flagsNamed(manifest, CONFIG_FLAG).at(-1);
  if (flag === undefined) throw new Error(`expected --${CONFIG_FLAG}, got none`);
  const hostPath = hostPathOf(readMounts(manifest, readVolumes(manifest)), flag.value);
  if (hostPath === undefined) {
    throw manifest.yaml.refusal(
      flag.valueWord.node.range[0],
      `--${CONFIG_FLAG}: expected a file of the host, got ${flag.value}, which no hostPath volume holds`,
      'mount the folder of that file from the host, or take the flag out to use ours',
    );
  }
  const foreign = normalPath(flag.value) !== normalPath(options.configFile);
  return { path: flag.value, hostPath, foreign };
}

/** What does not take, or could not be undone, is not begun. */
function expectSafe(
  before: string,
  after: string,
  record: ManifestRecord,
  options: EnableOptions,
): void {
  const { file } = options;
  const again = walk(after, findersFor(readManifest(after, file), options), file);
  const undone = planDisable(after, record, file === undefined ? {} : { file });
  const isUndone = undone.text === before || undone.warnings.length > 0;
  if (again.steps.length === 0 && isUndone) return;
  throw new ImageCheckerError('manifest-invalid', {
    message:
      'expected a manifest that can be edited and restored byte for byte, got one that cannot',
    hint: 'add the flags, the mount and the volume by hand',
    ...(file === undefined ? {} : { file }),
  });
}
