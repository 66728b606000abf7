import { ImageCheckerError } from '../errors.ts';
import { addField, addToList } from './add-entry.ts';
import { inlineImagePolicy, readAdmissionFile, scalarOf } from './admission-file.ts';
import type { AdmissionEntry, AdmissionFile, ImagePolicy } from './admission-file.ts';
import type { AdmissionRecord, ChangedValue } from './admission-record.ts';
import type { Change } from './change.ts';
import { replaceScalar, sourceOf } from './flags.ts';
import { PLUGIN } from './manifest.ts';
import { pairOf, valueOf } from './nodes.ts';
import type { ScalarNode } from './nodes.ts';
import type { ScalarValue } from './render.ts';
import { quoteOf } from './style.ts';
import { planUnmergeAdmission } from './unmerge-admission.ts';
import type { MapNode, YamlText } from './yaml-text.ts';

export interface MergePlan {
  readonly text: string;
  /** Empty when the plugin is configured that way already: the text is the same then. */
  readonly changes: readonly Change[];
  readonly record: AdmissionRecord;
}

/**
 * Puts our plugin's part into an AdmissionConfiguration that is in use; every other byte stays. A
 * part that is there already gets our values, one by one; values that we do not name stay.
 *
 * @throws ImageCheckerError `manifest-invalid`
 */
export function planMergeAdmission(text: string, ours: ImagePolicy, file?: string): MergePlan {
  const admission = readAdmissionFile(text, file);
  const plan =
    admission.entry === undefined ? addEntry(admission, ours) : setValues(text, ours, file);
  if (planUnmergeAdmission(plan.text, plan.record, file).text !== text) {
    throw new ImageCheckerError('manifest-invalid', {
      message: 'expected a file that can be edited and restored byte for byte, got one that cannot',
      hint: `add the part of ${PLUGIN} by hand`,
      ...(file === undefined ? {} : { file }),
    });
  }
  return plan;
}

function addEntry({ yaml }: AdmissionFile, ours: ImagePolicy): MergePlan {
  const entry = { name: PLUGIN, configuration: { imagePolicy: ours } };
  const { text, list } = addToList(yaml, yaml.root, 'plugins', entry);
  return {
    text,
    changes: [{ kind: 'entry-added', message: `add ${PLUGIN} to plugins` }],
    record: { version: 1, entry: { list }, values: [] },
  };
}

function setValues(text: string, ours: ImagePolicy, file: string | undefined): MergePlan {
  let plan: MergePlan = { text, changes: [], record: { version: 1, values: [] } };
  for (const [key, value] of Object.entries(ours)) {
    const { yaml, entry } = readAdmissionFile(plan.text, file);
    const step = entry === undefined ? undefined : setValue(yaml, entry, key, value);
    if (step === undefined) continue;
    const { changes, record } = plan;
    plan = {
      text: step.text,
      changes: [...changes, step.change],
      record: { ...record, values: [...record.values, step.record] },
    };
  }
  return plan;
}

interface ValueStep {
  readonly text: string;
  readonly change: Change;
  readonly record: ChangedValue;
}

function setValue(
  yaml: YamlText,
  entry: AdmissionEntry,
  key: string,
  value: ScalarValue,
): ValueStep | undefined {
  const map = inlineImagePolicy(yaml, entry);
  refuseOtherSpelling(yaml, map, key);
  if (pairOf(map, key) === undefined) {
    return {
      text: addField(yaml, map, key, value),
      change: { kind: 'value-added', message: `add ${key}: ${String(value)}` },
      record: { key, value },
    };
  }
  const before = scalarOf(yaml, map, key);
  if (before === value) return undefined;
  const node = valueOf(yaml, map, key) as ScalarNode;
  return {
    text: replaceScalar(yaml, node, value, {
      flow: map.flow === true,
      quote: quoteOf(yaml, node),
    }),
    change: {
      kind: 'value-changed',
      message: `change ${key} from ${String(before)} to ${String(value)}`,
    },
    record: { key, value, before: sourceOf(yaml, node) },
  };
}

/** kube-apiserver takes a key in any case, and of two the one that it happens to read last. */
function refuseOtherSpelling(yaml: YamlText, map: MapNode, key: string): void {
  const other = map.items.find(
    ({ key: node }) =>
      'value' in node &&
      node.value !== key &&
      String(node.value).toLowerCase() === key.toLowerCase(),
  );
  if (other === undefined) return;
  const got = 'value' in other.key ? String(other.key.value) : '';
  throw yaml.refusal(other.key.range[0], `expected ${key}, got ${got}`, `write it ${key}`);
}
