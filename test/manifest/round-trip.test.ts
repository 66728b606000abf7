import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { planDisable } from '../../src/manifest/disable.ts';
import { planEnable } from '../../src/manifest/enable.ts';
import { inferRecord } from '../../src/manifest/infer-record.ts';
import { effective } from './effective.ts';
import { FOLDERS } from './fixtures.ts';
import { foreignEdit, manifest } from './generate.ts';

const MOUNT = '/etc/kubernetes/admission <- /etc/kubernetes/admission (ro)';
const RUNS = { numRuns: 100 };

describe('any manifest', () => {
  it('is enabled, and as it was after disable', () => {
    fc.assert(
      fc.property(manifest, ({ text }) => {
        const old = effective(text);
        const plan = planEnable(text, FOLDERS);
        const now = effective(plan.text);
        expect(now.enabled.toSorted()).toEqual([...old.enabled, 'ImagePolicyWebhook'].toSorted());
        expect(now.disabled).toEqual(old.disabled.filter((name) => name !== 'ImagePolicyWebhook'));
        expect(now.configFile).toBe(FOLDERS.configFile);
        expect(now.mounts).toEqual([...old.mounts, MOUNT]);
        expect(planEnable(plan.text, FOLDERS).text).toBe(plan.text);
        expect(planDisable(plan.text, plan.record)).toMatchObject({ text, warnings: [] });
      }),
      RUNS,
    );
  });

  it('is as it was, in effect, after disable without the record', () => {
    fc.assert(
      fc.property(manifest, ({ text }) => {
        const old = effective(text);
        const plan = planEnable(text, FOLDERS);
        const undone = effective(planDisable(plan.text, inferRecord(plan.text, FOLDERS)).text);
        const disabled = old.disabled.filter((name) => name !== 'ImagePolicyWebhook');
        expect({ ...undone, configFile: undone.configFile ?? '' }).toEqual({
          ...old,
          disabled,
          configFile: old.configFile ?? '',
        });
      }),
      RUNS,
    );
  });

  it('keeps what somebody else edited in between', () => {
    fc.assert(
      fc.property(
        manifest,
        fc.array(foreignEdit, { minLength: 1, maxLength: 4 }),
        ({ text }, edits) => {
          const edit = (before: string): string => edits.reduce((done, one) => one(done), before);
          const plan = planEnable(text, FOLDERS);
          expect(planDisable(edit(plan.text), plan.record).text).toBe(edit(text));
        },
      ),
      RUNS,
    );
  });
});
