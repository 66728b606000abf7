import assert from 'node:assert/strict';
import { planDisable } from '../../../src/manifest/disable.ts';
import { planEnable } from '../../../src/manifest/enable.ts';
import { inferRecord } from '../../../src/manifest/infer-record.ts';
import { readOrRefuse, textOf } from '../text.ts';

const FOLDERS = {
  admission: '/etc/kubernetes/admission',
  mounted: '/etc/kubernetes/admission',
  configFile: '/etc/kubernetes/admission/admission_config.yaml',
};

/** A manifest is edited so that doing it again changes nothing, and undoing it all; or refused. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  const plan = readOrRefuse('manifest-invalid', () => planEnable(text, FOLDERS));
  if (plan === undefined) return;
  assert.equal(planEnable(plan.text, FOLDERS).text, plan.text);
  const undone = planDisable(plan.text, plan.record);
  if (undone.warnings.length === 0) assert.equal(undone.text, text);
  readOrRefuse('manifest-invalid', () => {
    return planDisable(plan.text, inferRecord(plan.text, FOLDERS));
  });
}
