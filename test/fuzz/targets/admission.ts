import assert from 'node:assert/strict';
import { planMergeAdmission } from '../../../src/manifest/merge-admission.ts';
import { planUnmergeAdmission } from '../../../src/manifest/unmerge-admission.ts';
import { OURS } from '../../manifest/admission-files.ts';
import { readOrRefuse, textOf } from '../text.ts';

/** An AdmissionConfiguration is merged into and restored byte for byte, or refused. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  const plan = readOrRefuse('manifest-invalid', () => planMergeAdmission(text, OURS));
  if (plan === undefined) return;
  assert.deepEqual(planMergeAdmission(plan.text, OURS).changes, []);
  assert.equal(planUnmergeAdmission(plan.text, plan.record).text, text);
}
