import { inlineImagePolicy, readAdmissionFile, scalarOf } from './admission-file.ts';
import type { ImagePolicy } from './admission-file.ts';
import { pairOf } from './nodes.ts';
import type { ScalarValue } from './render.ts';

/**
 * What `planMergeAdmission` did to an admission configuration, for `planUnmergeAdmission` to undo:
 * plain JSON, to be kept beside the backup.
 */
export interface AdmissionRecord {
  readonly version: 1;
  /** The part of our plugin was not there; whether `plugins:` was. */
  readonly entry?: { readonly list: 'kept' | 'added' };
  /** The part was there with other values. */
  readonly values: readonly ChangedValue[];
}

export interface ChangedValue {
  readonly key: string;
  readonly value: ScalarValue;
  /** As it was written, quotes included; absent when the key was not there. */
  readonly before?: string;
}

/**
 * What merging seems to have done, for a file whose record is lost: an entry that asks our service
 * (by its `kubeConfigFile`) counts as ours, any other one does not.
 *
 * @throws ImageCheckerError `manifest-invalid`
 */
export function inferAdmissionRecord(
  text: string,
  ours: ImagePolicy,
  file?: string,
): AdmissionRecord {
  const { yaml, entry } = readAdmissionFile(text, file);
  if (entry?.imagePolicy === undefined) return { version: 1, values: [] };
  const map = inlineImagePolicy(yaml, entry);
  const isNamed = pairOf(map, 'kubeConfigFile') !== undefined;
  const isOurs = isNamed && scalarOf(yaml, map, 'kubeConfigFile') === ours['kubeConfigFile'];
  return { version: 1, values: [], ...(isOurs ? { entry: { list: 'kept' } } : {}) };
}
