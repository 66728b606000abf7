import { describe, expect, it } from '@jest/globals';
import { planDisable } from '../../src/manifest/disable.ts';
import { planEnable } from '../../src/manifest/enable.ts';
import { inferRecord } from '../../src/manifest/infer-record.ts';
import { effective } from './effective.ts';
import { fixture, FIXTURES, FOLDERS } from './fixtures.ts';

describe.each(FIXTURES)('disable after enable on %s', (name) => {
  const before = fixture(name);
  const { text, record } = planEnable(before, FOLDERS);

  it('gives every byte back', () => {
    const plan = planDisable(text, JSON.parse(JSON.stringify(record)) as typeof record);
    expect(plan.text).toBe(before);
    expect(plan.warnings).toEqual([]);
  });

  it('changes nothing a second time, nor where enable has not been', () => {
    // Where the plugin had been disabled, it is found to be so.
    const again = planDisable(before, record);
    expect(again).toEqual({ text: before, changes: [], warnings: [] });
  });

  it('switches the plugin off without the record, too', () => {
    const plan = planDisable(text, inferRecord(text, FOLDERS));
    const old = effective(before);
    const now = effective(plan.text);
    expect(now.enabled).toEqual(old.enabled);
    // An empty flag that enable filled is not told from one that it added.
    expect(now.configFile ?? '').toBe(old.configFile ?? '');
    expect([now.mounts, now.volumes]).toEqual([old.mounts, old.volumes]);
    expect(plan.warnings).toEqual([]);
  });
});

describe('disable without the record', () => {
  const kubeadm = FIXTURES.filter((name) => /^(?:kubeadm|kind|config|windows)/.test(name));

  it.each(kubeadm)('gives every byte of %s back', (name) => {
    const before = fixture(name);
    const { text } = planEnable(before, FOLDERS);
    expect(planDisable(text, inferRecord(text, FOLDERS)).text).toBe(before);
  });

  it('leaves a configuration, a volume and a mount that are not known to be ours', () => {
    const { text } = planEnable(fixture('kubeadm-v1.31.yaml'), FOLDERS);
    const foreign = text
      .replaceAll('image-checker-admission', 'admission')
      .replace('admission_config.yaml', 'other.yaml');
    const plan = planDisable(foreign, inferRecord(foreign, FOLDERS));
    expect(plan.text).toBe(foreign.replace(',ImagePolicyWebhook', ''));
  });

  it('leaves a mount that may be written to', () => {
    const { text } = planEnable(fixture('bare.yaml'), FOLDERS);
    const foreign = text.replace('readOnly: true', 'readOnly: false');
    const kinds = planDisable(foreign, inferRecord(foreign, FOLDERS)).changes;
    expect(kinds.map(({ kind }) => kind)).toEqual(['plugin-removed', 'config-file-removed']);
  });
});

describe('disable', () => {
  const { text, record } = planEnable(fixture('kubeadm-v1.31.yaml'), FOLDERS);

  it.each([
    [
      'somebody disabled more',
      '--disable-admission-plugins=',
      '=X,',
      'X,AlwaysAdmit,NamespaceExists',
    ],
    ['nobody did', '', '', 'AlwaysAdmit,NamespaceExists'],
  ])('puts the plugin back among those that are disabled when %s', (_title, from, to, others) => {
    const plan = planEnable(fixture('comments.yaml'), FOLDERS);
    const edited = plan.text.replace(from, from.replace('=', to));
    const { disabled } = effective(planDisable(edited, plan.record).text);
    expect(disabled.toSorted()).toEqual([...others.split(','), 'ImagePolicyWebhook'].toSorted());
  });

  it('disables the plugin anew when the flag is gone', () => {
    const plan = planEnable(fixture('comments.yaml'), FOLDERS);
    const edited = plan.text.replace(/.*--disable-admission-plugins.*\n/, '');
    const { disabled, enabled } = effective(planDisable(edited, plan.record).text);
    expect([disabled, enabled]).toEqual([
      ['ImagePolicyWebhook'],
      ['NodeRestriction', 'AlwaysPullImages'],
    ]);
  });

  it('takes the plugin out of each flag that names it', () => {
    const edited = text.replace(
      /( +- )(--enable-adm.*\n)/,
      '$1$2$1--enable-admission-plugins=ImagePolicyWebhook\n',
    );
    expect(effective(planDisable(edited, record).text).enabled).toEqual(['NodeRestriction']);
  });

  it('changes nothing on a manifest that kubeadm has written anew', () => {
    const anew = fixture('kubeadm-v1.33.yaml');
    expect(planDisable(anew, record)).toEqual({ text: anew, changes: [], warnings: [] });
  });

  it('leaves flag, mount and volume while the configuration holds other plugins', () => {
    const plan = planDisable(text, record, { configFileInUse: true });
    expect(plan.text).toBe(text.replace(',ImagePolicyWebhook', ''));
    expect(plan.changes.map(({ kind }) => kind)).toEqual(['plugin-removed']);
  });

  it('leaves the plugin that had been there before, and says so', () => {
    const before = fixture('kubeadm-v1.31.yaml').replace('NodeRestriction', 'ImagePolicyWebhook');
    const plan = planEnable(before, FOLDERS);
    const undone = planDisable(plan.text, plan.record);
    expect(undone.text).toBe(before);
    expect(undone.warnings).toEqual([
      {
        message:
          'ImagePolicyWebhook stays in --enable-admission-plugins: it is not known to be there by enable',
        line: 20,
        column: 7,
      },
    ]);
  });

  it.each([
    [
      'the mount that another flag reads from',
      '- --etcd-cafile',
      '- --audit-policy-file=/etc/kubernetes/admission/audit.yaml\n    - --etcd-cafile',
      [
        'the mount of /etc/kubernetes/admission stays: --audit-policy-file=/etc/kubernetes/admission/audit.yaml reads from it',
        'the volume image-checker-admission stays: a container mounts it',
      ],
    ],
    [
      'the mount that a configuration of somebody else is in',
      'admission/admission_config.yaml',
      'admission/other.yaml',
      [
        'the mount of /etc/kubernetes/admission stays: --admission-control-config-file=/etc/kubernetes/admission/other.yaml reads from it',
        'the volume image-checker-admission stays: a container mounts it',
      ],
    ],
    [
      'the volume that another container mounts',
      '  hostNetwork',
      '  initContainers:\n  - name: x\n    volumeMounts:\n    - name: image-checker-admission\n      mountPath: /x\n  hostNetwork',
      ['the volume image-checker-admission stays: a container mounts it'],
    ],
  ])('leaves %s', (_title, from, to, warnings) => {
    const plan = planDisable(text.replace(from, to), record, { file: 'm.yaml' });
    expect(plan.warnings.map(({ message }) => message)).toEqual(warnings);
    expect(plan.warnings[0]).toMatchObject({ file: 'm.yaml', line: expect.any(Number) });
    expect(plan.text).toContain('image-checker-admission');
    expect(effective(plan.text).enabled).toEqual(['NodeRestriction']);
  });

  it('refuses what enable refuses', () => {
    const again = text.replace('volumes:', 'volumes: &v');
    expect(() => planDisable(again, record)).toThrow(
      'volumes: expected a value, got the anchor &v',
    );
  });

  it('undoes what two runs of enable did', () => {
    const before = fixture('kubeadm-v1.31.yaml');
    const cut = text.replace(/ +- --admission-control.*\n/, '').replace(',ImagePolicyWebhook', '');
    const second = planEnable(cut, { ...FOLDERS, earlier: record });
    expect(second.changes.map(({ kind }) => kind)).toEqual(['plugin-added', 'config-file-added']);
    expect(second.text).toBe(text);
    expect(second.record).toEqual(record);
    expect(planDisable(second.text, second.record).text).toBe(before);
  });
});
