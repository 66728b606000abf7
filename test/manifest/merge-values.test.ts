import { describe, expect, it } from '@jest/globals';
import { inferAdmissionRecord } from '../../src/manifest/admission-record.ts';
import { planMergeAdmission } from '../../src/manifest/merge-admission.ts';
import { planUnmergeAdmission } from '../../src/manifest/unmerge-admission.ts';
import { HEAD, OURS, OURS_AS_BLOCK, POD_SECURITY } from './admission-files.ts';

describe('a configuration of our plugin that is there already', () => {
  const other = `${HEAD}plugins:
- name: ImagePolicyWebhook
  configuration:
    imagePolicy:
      # of the old service
      kubeConfigFile: '/etc/old/kubeconf' # mounted
      allowTTL: 0x32
      denyTTL:   30
      defaultAllow: true # for now
      unknown: kept
- name: EventRateLimit
  path: e.yaml
`;
  const merged = `${HEAD}plugins:
- name: ImagePolicyWebhook
  configuration:
    imagePolicy:
      # of the old service
      kubeConfigFile: '/etc/kubernetes/admission/kubeconf' # mounted
      allowTTL: 0x32
      denyTTL:   50
      defaultAllow: false # for now
      unknown: kept
      retryBackoff: 500
- name: EventRateLimit
  path: e.yaml
`;
  const plan = planMergeAdmission(other, OURS);

  it('gets our values one by one', () => {
    expect(plan.text).toBe(merged);
    expect(plan.changes.map(({ message }) => message)).toEqual([
      'change kubeConfigFile from /etc/old/kubeconf to /etc/kubernetes/admission/kubeconf',
      'change denyTTL from 30 to 50',
      'add retryBackoff: 500',
      'change defaultAllow from true to false',
    ]);
    expect(planMergeAdmission(merged, OURS).changes).toEqual([]);
  });

  it('gets its own back', () => {
    const undone = planUnmergeAdmission(merged, plan.record);
    expect(undone.text).toBe(other);
    expect(undone.changes.map(({ message }) => message)).toEqual([
      'change defaultAllow back to true',
      'take out retryBackoff',
      'change denyTTL back to 30',
      "change kubeConfigFile back to '/etc/old/kubeconf'",
    ]);
  });

  it('keeps what somebody else has changed since, and says so', () => {
    const edited = merged.replace('denyTTL:   50', 'denyTTL: 60').replace('e.yaml', 'f.yaml');
    const undone = planUnmergeAdmission(edited, plan.record, 'a.yaml');
    expect(undone.text).toBe(
      other.replace('denyTTL:   30', 'denyTTL: 60').replace('e.yaml', 'f.yaml'),
    );
    expect(undone.warnings).toEqual([
      {
        file: 'a.yaml',
        line: 10,
        column: 16,
        message: 'denyTTL stays: expected 50, got another value since',
      },
    ]);
  });

  it.each([
    ['ours', merged, `${HEAD}plugins:\n- name: EventRateLimit\n  path: e.yaml\n`],
    ["somebody else's", other, other],
    ['none', POD_SECURITY, POD_SECURITY],
  ])('is told by its kubeconf without the record: %s', (_title, text, expected) => {
    const undone = planUnmergeAdmission(text, inferAdmissionRecord(text, OURS));
    expect(undone.text).toBe(expected);
  });
});

describe('merging refuses', () => {
  const entry = `${HEAD}plugins:\n${OURS_AS_BLOCK}`;

  it.each([
    ['no mapping', 'x\n', '1:1: expected a mapping, got something else'],
    [
      'another kind',
      HEAD.replace('AdmissionConfiguration', 'B'),
      '2:7: kind: expected AdmissionConfiguration, got B',
    ],
    [
      'no kind',
      'apiVersion: apiserver.config.k8s.io/v1\n',
      '1:1: kind: expected AdmissionConfiguration, got nothing',
    ],
    [
      'another version',
      HEAD.replace('/v1', '/v2'),
      '1:13: apiVersion: expected apiserver.config.k8s.io/v1 or apiserver.k8s.io/v1alpha1, got apiserver.config.k8s.io/v2',
    ],
    ['two documents', `${entry}---\n${HEAD}`, '12:1: expected one YAML document, got another one'],
    [
      'plugins that are no list',
      `${HEAD}plugins: {}\n`,
      '3:10: plugins: expected a list, got a mapping',
    ],
    [
      'a plugin that is a name',
      `${HEAD}plugins: [A]\n`,
      '3:11: plugins[0]: expected a mapping, got "A"',
    ],
    [
      'our plugin twice',
      entry + OURS_AS_BLOCK,
      '12:3: expected ImagePolicyWebhook once, got it again',
    ],
    [
      'our plugin by path',
      `${HEAD}plugins:\n- name: ImagePolicyWebhook\n  path: image.yaml\n`,
      '4:3: ImagePolicyWebhook: expected configuration.imagePolicy, got path: image.yaml',
    ],
    [
      'our plugin without its part',
      `${HEAD}plugins:\n- name: ImagePolicyWebhook\n  configuration: {}\n`,
      '4:3: ImagePolicyWebhook: expected configuration.imagePolicy, got none',
    ],
    [
      'a key in another case',
      entry.replace('defaultAllow: false', 'defaultallow: true'),
      '11:7: expected defaultAllow, got defaultallow',
    ],
    [
      'a value that is a list',
      entry.replace('allowTTL: 50', 'allowTTL: [50]'),
      '8:17: allowTTL: expected a single value, got a list',
    ],
    [
      'an anchor',
      entry.replace('allowTTL: 50', 'allowTTL: &ttl 51'),
      '8:22: allowTTL: expected a value, got the anchor &ttl',
    ],
    [
      'an alias',
      entry.replace('name: Im', 'name: &p Im'),
      '4:12: name: expected a value, got the anchor &p',
    ],
  ])('%s', (_title, text, expected) => {
    expect(() => planMergeAdmission(text, OURS)).toThrow(
      expect.objectContaining({ code: 'manifest-invalid', message: expected }),
    );
  });
});
