import { basename, join } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import { readTextFile } from '../files/read-text-file.ts';
import { readImagePolicy } from '../manifest/admission-file.ts';
import type { ImagePolicy } from '../manifest/admission-file.ts';
import { planEnable } from '../manifest/enable.ts';
import type { EnablePlan } from '../manifest/enable.ts';
import { planMergeAdmission } from '../manifest/merge-admission.ts';
import type { MergePlan } from '../manifest/merge-admission.ts';
import { readEditedFile } from './edited-file.ts';
import type { EditedFile } from './edited-file.ts';
import { mergeAdmissionRecords } from './merge-admission-records.ts';
import type { EnableOptions } from './options.ts';
import { editOf } from './plan.ts';
import type { SwitchPlan } from './plan.ts';
import { readRecord } from './record-file.ts';
import type { EnableRecord } from './record-file.ts';

/** The plan, and what pre-flight needs to know of it. */
export interface Enabling extends SwitchPlan {
  readonly manifest: { readonly file: string; readonly text: string };
  /** The admission configuration that kube-apiserver will read, on the host. */
  readonly admissionConfiguration: { readonly file: string; readonly text: string };
  readonly imagePolicy: ImagePolicy;
}

/** @throws {ImageCheckerError} `manifest-invalid`, `file-unreadable` */
export async function planEnabling(options: EnableOptions): Promise<Enabling> {
  const manifest = await readEditedFile(
    options.manifest,
    'run it on a control-plane node, as root',
  );
  const earlier = await readRecord(options.stateFolder, manifest.file);
  const edited = planEnable(manifest.text, {
    ...options,
    file: options.manifest,
    ...(earlier !== undefined && { earlier: earlier.edits }),
  });
  const admission = await planAdmission(options, edited);
  const record: EnableRecord = {
    version: 1,
    manifest: manifest.file,
    edits: edited.record,
    ...admissionRecord(admission, earlier),
  };
  const edits = [editOf(admission.source, admission.merge.text), editOf(manifest, edited.text)];
  return {
    command: 'enable',
    edits: edits.filter((edit) => edit !== undefined),
    restarts: edited.text !== manifest.text,
    changes: [...admission.merge.changes, ...edited.changes],
    warnings: [],
    record,
    earlier,
    manifest: { file: options.manifest, text: edited.text },
    admissionConfiguration: { file: admission.source.file, text: admission.merge.text },
    imagePolicy: readImagePolicy(admission.merge.text, admission.source.file),
  };
}

interface AdmissionPlan {
  readonly source: EditedFile;
  readonly merge: MergePlan;
}

/** Ours is used as it is; one of somebody else, which is in use, gets our part. */
async function planAdmission(
  options: EnableOptions,
  { configFile }: EnablePlan,
): Promise<AdmissionPlan> {
  const ours = join(options.admission, basename(options.configFile));
  if (!configFile.foreign) {
    const source = await readEditedFile(configFile.hostPath, MAKE_IT);
    expectOurPart(source);
    const merge: MergePlan = { text: source.text, changes: [], record: NOTHING_MERGED };
    return { source, merge };
  }
  const policy = readImagePolicy(await readTextFile(ours, MAKE_IT), ours);
  const hint = `--admission-control-config-file names it`;
  const source = await readEditedFile(configFile.hostPath, hint);
  return { source, merge: planMergeAdmission(source.text, policy, source.file) };
}

const MAKE_IT = '`image-checker setup` makes it; --dir names its folder';
const NOTHING_MERGED = { version: 1, values: [] } as const;

function expectOurPart({ file, text }: EditedFile): void {
  try {
    readImagePolicy(text, file);
  } catch (thrown) {
    if (!(thrown instanceof ImageCheckerError)) throw thrown;
    const problems = thrown.problems.map((problem) => ({ hint: MAKE_IT, ...problem }));
    throw new ImageCheckerError(thrown.code, problems, { cause: thrown });
  }
}

function admissionRecord(
  { source, merge }: AdmissionPlan,
  earlier: EnableRecord | undefined,
): Pick<EnableRecord, 'admission'> {
  const { file } = source;
  const before = earlier?.admission?.file === file ? earlier.admission.edits : NOTHING_MERGED;
  const edits = mergeAdmissionRecords(before, merge.record);
  if (edits.entry === undefined && edits.values.length === 0) return {};
  return { admission: { file, edits } };
}
