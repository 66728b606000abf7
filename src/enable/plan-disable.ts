import { basename, join } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { readTextFile } from '../files/read-text-file.ts';
import { readAdmissionFile, readImagePolicy } from '../manifest/admission-file.ts';
import { inferAdmissionRecord } from '../manifest/admission-record.ts';
import type { AdmissionRecord } from '../manifest/admission-record.ts';
import type { Change } from '../manifest/change.ts';
import { planDisable } from '../manifest/disable.ts';
import { inferRecord } from '../manifest/infer-record.ts';
import { CONFIG_FLAG, flagsNamed, PLUGIN, readManifest } from '../manifest/manifest.ts';
import { hostPathOf, readMounts, readVolumes } from '../manifest/mounts.ts';
import type { ManifestRecord } from '../manifest/record.ts';
import { planUnmergeAdmission } from '../manifest/unmerge-admission.ts';
import { readEditedFile } from './edited-file.ts';
import type { EditedFile } from './edited-file.ts';
import type { SwitchOptions } from './options.ts';
import { editOf } from './plan.ts';
import type { FileEdit, SwitchPlan } from './plan.ts';
import { readRecord } from './record-file.ts';
import type { EnableRecord } from './record-file.ts';

/** @throws {ImageCheckerError} `manifest-invalid`, `file-unreadable` */
export async function planDisabling(options: SwitchOptions): Promise<SwitchPlan> {
  const manifest = await readEditedFile(
    options.manifest,
    'run it on a control-plane node, as root',
  );
  const earlier = await readRecord(options.stateFolder, manifest.file);
  const named = { ...options, file: options.manifest };
  const record = earlier?.edits ?? inferRecord(manifest.text, named);
  const admission = await planAdmission(options, manifest.text, earlier);
  const plan = planDisable(manifest.text, record, {
    file: options.manifest,
    configFileInUse: admission.othersIn && isNamedByUs(record),
  });
  const edits = [editOf(manifest, plan.text), admission.edit];
  return {
    command: 'disable',
    edits: edits.filter((edit) => edit !== undefined),
    restarts: plan.text !== manifest.text,
    changes: [...plan.changes, ...admission.changes],
    warnings: [...plan.warnings, ...admission.warnings],
    record: undefined,
    earlier,
  };
}

/** A flag that was there before enable stays anyway; ours stays while others need the file. */
function isNamedByUs({ flags, words }: ManifestRecord): boolean {
  return (
    flags.some(({ name }) => name === CONFIG_FLAG) || words.some(({ flag }) => flag === CONFIG_FLAG)
  );
}

interface AdmissionPlan {
  readonly edit: FileEdit | undefined;
  readonly changes: readonly Change[];
  readonly warnings: readonly Problem[];
  /** Other plugins are configured in the file. */
  readonly othersIn: boolean;
}

const NOTHING: AdmissionPlan = { edit: undefined, changes: [], warnings: [], othersIn: false };

/** Our own file stays as it is, for the next enable; from one of somebody else our part goes. */
async function planAdmission(
  options: SwitchOptions,
  manifest: string,
  earlier: EnableRecord | undefined,
): Promise<AdmissionPlan> {
  const file = earlier?.admission?.file ?? fileInUse(manifest, options);
  const source = file === undefined ? undefined : await readIfThere(file);
  if (source === undefined) return NOTHING;
  const { plugins } = readAdmissionFile(source.text, source.file);
  const othersIn = plugins.some((plugin) => plugin !== PLUGIN);
  const record = earlier?.admission?.edits ?? (await inferMerged(source, options, earlier));
  if (record === undefined) return { ...NOTHING, othersIn };
  const { text, changes, warnings } = planUnmergeAdmission(source.text, record, source.file);
  return { edit: editOf(source, text), changes, warnings, othersIn };
}

/** What --admission-control-config-file names, on the host. */
function fileInUse(text: string, { manifest: file }: SwitchOptions): string | undefined {
  const manifest = readManifest(text, file);
  const flag = flagsNamed(manifest, CONFIG_FLAG).at(-1);
  if (flag === undefined) return undefined;
  return hostPathOf(readMounts(manifest, readVolumes(manifest)), flag.value);
}

/** With a record that names no merge there was none; without one, what the file shows counts. */
async function inferMerged(
  source: EditedFile,
  options: SwitchOptions,
  earlier: EnableRecord | undefined,
): Promise<AdmissionRecord | undefined> {
  const ours = join(options.admission, basename(options.configFile));
  if (earlier !== undefined || source.file === ours) return undefined;
  const text = await readTextFile(ours, '').catch(() => undefined);
  if (text === undefined) return undefined;
  return inferAdmissionRecord(source.text, readImagePolicy(text, ours), source.file);
}

async function readIfThere(file: string): Promise<EditedFile | undefined> {
  try {
    return await readEditedFile(file, '');
  } catch (thrown) {
    if (thrown instanceof ImageCheckerError && thrown.code === 'file-unreadable') return undefined;
    throw thrown;
  }
}
