import type { Problem } from '../errors.ts';
import { readAdmissionFile } from './admission-file.ts';
import type { AdmissionFile } from './admission-file.ts';
import type { AdmissionRecord, ChangedValue } from './admission-record.ts';
import type { Change } from './change.ts';
import { restoreScalar } from './flags.ts';
import { PLUGIN } from './manifest.ts';
import { valueOf } from './nodes.ts';
import type { ScalarNode } from './nodes.ts';
import { removeField, removeFromList } from './remove-entry.ts';
import type { MapNode, YamlText } from './yaml-text.ts';

export interface UnmergePlan {
  readonly text: string;
  /** Empty when nothing is to be done: the text is the same then. */
  readonly changes: readonly Change[];
  /** What stays, though it might be expected to go, and why. */
  readonly warnings: readonly Problem[];
}

/**
 * Undoes what `planMergeAdmission` did, on a file that may have been edited since; byte for byte
 * when it has not.
 *
 * @throws ImageCheckerError `manifest-invalid`
 */
export function planUnmergeAdmission(
  text: string,
  record: AdmissionRecord,
  file?: string,
): UnmergePlan {
  if (record.entry !== undefined) return removeEntry(readAdmissionFile(text, file), record.entry);
  let plan: UnmergePlan = { text, changes: [], warnings: [] };
  for (const value of record.values.toReversed()) {
    const { yaml, entry } = readAdmissionFile(plan.text, file);
    if (entry?.imagePolicy === undefined) continue;
    const { text: next, changes, warnings } = restoreValue(yaml, entry.imagePolicy, value);
    plan = {
      text: next,
      changes: [...plan.changes, ...changes],
      warnings: [...plan.warnings, ...warnings],
    };
  }
  return plan;
}

function removeEntry(
  { yaml, entry }: AdmissionFile,
  { list }: { readonly list: 'kept' | 'added' },
): UnmergePlan {
  if (entry === undefined) return { text: yaml.text, changes: [], warnings: [] };
  const place = { map: yaml.root, key: 'plugins', list };
  const change: Change = { kind: 'entry-removed', message: `take ${PLUGIN} out of plugins` };
  return { text: removeFromList(yaml, place, entry.index), changes: [change], warnings: [] };
}

function restoreValue(
  yaml: YamlText,
  map: MapNode,
  { key, value, before }: ChangedValue,
): UnmergePlan {
  const node = valueOf(yaml, map, key) as ScalarNode | undefined;
  if (node === undefined) return { text: yaml.text, changes: [], warnings: [] };
  if (node.value !== value) {
    const message = `${key} stays: expected ${String(value)}, got another value since`;
    return { text: yaml.text, changes: [], warnings: [yaml.problem(node.range[0], message)] };
  }
  if (before === undefined) {
    const change: Change = { kind: 'value-removed', message: `take out ${key}` };
    return { text: removeField(yaml, map, key) ?? yaml.text, changes: [change], warnings: [] };
  }
  const change: Change = { kind: 'value-changed', message: `change ${key} back to ${before}` };
  return { text: restoreScalar(yaml, node, before), changes: [change], warnings: [] };
}
