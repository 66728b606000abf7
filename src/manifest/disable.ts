import type { Problem } from '../errors.ts';
import type { Change } from './change.ts';
import { disableAgain, restoreWord, takeOutConfigFile, takeOutPlugin } from './disable-flags.ts';
import { takeOutMount, takeOutVolume } from './disable-mount.ts';
import {
  CONFIG_FLAG,
  DISABLE_FLAG,
  ENABLE_FLAG,
  flagsNamed,
  PLUGIN,
  readManifest,
} from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { flagWithPlugin } from './plugin-list.ts';
import type { ManifestRecord } from './record.ts';
import { walk } from './steps.ts';
import type { FindStep, Step } from './steps.ts';

export interface DisableOptions {
  /** The manifest as the user named it, for messages. */
  readonly file?: string;
  /** The admission configuration holds other plugins too: flag, mount and volume stay. */
  readonly configFileInUse?: boolean;
}

export interface DisablePlan {
  readonly text: string;
  /** Empty when nothing is to be done: the text is the same then. */
  readonly changes: readonly Change[];
  /** What stays, though it might be expected to go, and why. */
  readonly warnings: readonly Problem[];
}

/**
 * Undoes what `planEnable` did, on a manifest that may have been edited since; byte for byte when it
 * has not.
 *
 * @param record what `planEnable` returned, or what `inferRecord` makes of the manifest
 * @throws ImageCheckerError `manifest-invalid`
 */
export function planDisable(
  text: string,
  record: ManifestRecord,
  { file, configFileInUse = false }: DisableOptions = {},
): DisablePlan {
  const warnings: Problem[] = [];
  const warn = (problem: Problem): void => void warnings.push(problem);
  const manifest = readManifest(text, file);
  const flagFinders = findersOfFlags(manifest, record, configFileInUse);
  const mountFinders = configFileInUse ? [] : findersOfMounts(record, warn);
  const plan = walk(text, [...flagFinders, ...mountFinders], file);
  warnIfStillEnabled(readManifest(plan.text, file), warn);
  return { text: plan.text, changes: plan.steps.map(({ change }) => change), warnings };
}

type Warn = (problem: Problem) => void;

/** First word for word, where nobody has touched it since; then by meaning. */
function findersOfFlags(
  manifest: Manifest,
  record: ManifestRecord,
  configFileInUse: boolean,
): FindStep<Step>[] {
  const names = new Set([
    ...record.words.map(({ flag }) => flag),
    ...record.flags.map(({ name }) => name),
  ]);
  const words = record.words.filter(({ flag }) => !configFileInUse || flag !== CONFIG_FLAG);
  const enabling = names.has(ENABLE_FLAG) ? flagsNamed(manifest, ENABLE_FLAG) : [];
  const disabling = words.filter(({ flag }) => flag === DISABLE_FLAG);
  return [
    ...words.toReversed().map((word) => (current: Manifest) => restoreWord(current, word)),
    ...enabling.map(() => (current: Manifest) => takeOutPlugin(current, record)),
    ...disabling.map((word) => (current: Manifest) => disableAgain(current, record, word)),
    ...(configFileInUse ? [] : [(current: Manifest) => takeOutConfigFile(current, record)]),
  ];
}

function findersOfMounts(record: ManifestRecord, warn: Warn): FindStep<Step>[] {
  return [
    (current) => takeOutMount(current, record, warn),
    (current) => takeOutVolume(current, record, warn),
  ];
}

function warnIfStillEnabled(manifest: Manifest, warn: Warn): void {
  const flag = flagWithPlugin(manifest.yaml, flagsNamed(manifest, ENABLE_FLAG), PLUGIN);
  if (flag === undefined) return;
  const message = `${PLUGIN} stays in --${ENABLE_FLAG}: it is not known to be there by enable`;
  warn(manifest.yaml.problem(flag.valueWord.node.range[0], message));
}
