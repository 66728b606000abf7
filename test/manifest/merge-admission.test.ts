import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { readImagePolicy } from '../../src/manifest/admission-file.ts';
import { planMergeAdmission } from '../../src/manifest/merge-admission.ts';
import { planUnmergeAdmission } from '../../src/manifest/unmerge-admission.ts';
import { renderAdmissionConfiguration } from '../../src/setup/admission-configuration.ts';
import { HEAD, OURS, OURS_AS_BLOCK, POD_SECURITY } from './admission-files.ts';

const indented = (text: string, by: number): string => text.replace(/^(?=.)/gm, ' '.repeat(by));

/** A file before and after. */
const MERGED: [string, string, string][] = [
  ['PodSecurity inline and EventRateLimit by path', POD_SECURITY, POD_SECURITY + OURS_AS_BLOCK],
  [
    'a list that is indented',
    `${HEAD}plugins:\n  - name: EventRateLimit\n    path: e.yaml\n# end\n`,
    `${HEAD}plugins:\n  - name: EventRateLimit\n    path: e.yaml\n${indented(OURS_AS_BLOCK, 2)}# end\n`,
  ],
  [
    'the old version',
    'apiVersion: apiserver.k8s.io/v1alpha1\nkind: AdmissionConfiguration\nplugins:\n- name: A\n  path: ""\n',
    `apiVersion: apiserver.k8s.io/v1alpha1\nkind: AdmissionConfiguration\nplugins:\n- name: A\n  path: ""\n${OURS_AS_BLOCK}`,
  ],
  ['no plugins', HEAD, `${HEAD}plugins:\n${indented(OURS_AS_BLOCK, 2)}`],
  ['a key without plugins', `${HEAD}plugins:\n`, `${HEAD}plugins:\n${indented(OURS_AS_BLOCK, 2)}`],
  [
    'an empty list',
    `${HEAD}plugins: [] # none\n`,
    `${HEAD}plugins: [{name: ImagePolicyWebhook, configuration: {imagePolicy: {kubeConfigFile: /etc/kubernetes/admission/kubeconf, allowTTL: 50, denyTTL: 50, retryBackoff: 500, defaultAllow: false}}}] # none\n`,
  ],
  [
    'no line break at the end',
    `${HEAD}plugins:\n- name: A\n  path: a.yaml`,
    `${HEAD}plugins:\n- name: A\n  path: a.yaml\n${OURS_AS_BLOCK.trimEnd()}`,
  ],
  [
    'line ends of Windows',
    `${HEAD}plugins:\n- name: A\n  path: a.yaml\n`.replaceAll('\n', '\r\n'),
    `${HEAD}plugins:\n- name: A\n  path: a.yaml\n${OURS_AS_BLOCK}`.replaceAll('\n', '\r\n'),
  ],
  [
    'a byte order mark and a key after the plugins',
    `\ufeffplugins:\n- name: A\n  path: a.yaml\n${HEAD}`,
    `\ufeffplugins:\n- name: A\n  path: a.yaml\n${OURS_AS_BLOCK}${HEAD}`,
  ],
];

describe('the configuration of our plugin, merged into', () => {
  it.each(MERGED)('%s', (_title, before, after) => {
    const plan = planMergeAdmission(before, OURS);
    expect(plan.text).toBe(after);
    expect(plan.changes).toEqual([
      { kind: 'entry-added', message: 'add ImagePolicyWebhook to plugins' },
    ]);
    expect(readImagePolicy(plan.text)).toEqual(OURS);
  });

  it.each(MERGED)('%s: nothing a second time, and every byte back', (_title, before, after) => {
    const { record } = planMergeAdmission(before, OURS);
    expect(planMergeAdmission(after, OURS)).toMatchObject({ text: after, changes: [] });
    const stored = JSON.parse(JSON.stringify(record)) as typeof record;
    expect(planUnmergeAdmission(after, stored)).toEqual({
      text: before,
      changes: [{ kind: 'entry-removed', message: 'take ImagePolicyWebhook out of plugins' }],
      warnings: [],
    });
    expect(planUnmergeAdmission(before, stored).changes).toEqual([]);
  });

  it.each([undefined, 2, '\t'])('JSON, indented by %j', (indent) => {
    const value = {
      kind: 'AdmissionConfiguration',
      apiVersion: 'apiserver.config.k8s.io/v1',
      plugins: [{ name: 'EventRateLimit', path: 'e.yaml' }],
    };
    const before = JSON.stringify(value, undefined, indent);
    const entry = { name: 'ImagePolicyWebhook', configuration: { imagePolicy: OURS } };
    const { text, record } = planMergeAdmission(before, OURS);
    const after = { ...value, plugins: [...value.plugins, entry] };
    expect(text).toBe(JSON.stringify(after, undefined, indent));
    expect(planUnmergeAdmission(text, record).text).toBe(before);
  });

  it('what setup has made: nothing to do', () => {
    const text = renderAdmissionConfiguration({ mounted: '/etc/kubernetes/admission' });
    expect(readImagePolicy(text)).toEqual(OURS);
    expect(planMergeAdmission(text, OURS)).toEqual({
      text,
      changes: [],
      record: { version: 1, values: [] },
    });
  });
});

describe('any admission configuration', () => {
  const plugin = fc.constantFrom(
    ['name: EventRateLimit', 'path: e.yaml'],
    [
      'name: "PodSecurity"',
      'configuration:',
      '  defaults: {enforce: baseline}',
      '  x: |',
      '    text',
    ],
    ["name: 'ResourceQuota'", 'configuration: {limitedResources: []}'],
  );
  const file = fc
    .record({
      plugins: fc.array(plugin, { minLength: 1 }),
      indent: fc.constantFrom('', '  ', '    '),
      between: fc.constantFrom('', '\n', '# note\n'),
      tail: fc.constantFrom('', '\n', '\n# end\n', '\n...\n'),
      lineBreak: fc.constantFrom('\n', '\r\n'),
    })
    .map(({ plugins, indent, between, tail, lineBreak }) => {
      const items = plugins.map((lines) =>
        lines.map((line, index) => `${indent}${index === 0 ? '- ' : '  '}${line}`).join('\n'),
      );
      const text = `${HEAD}${between}plugins:\n${between}${items.join(`\n${between}`)}${tail}`;
      return text.replaceAll('\n', lineBreak);
    });

  it('has our part after merging, and is as it was after the opposite', () => {
    fc.assert(
      fc.property(file, (text) => {
        const plan = planMergeAdmission(text, OURS);
        const before = parse(text) as { plugins: unknown[] };
        const entry = { name: 'ImagePolicyWebhook', configuration: { imagePolicy: OURS } };
        expect(parse(plan.text)).toEqual({ ...before, plugins: [...before.plugins, entry] });
        expect(planUnmergeAdmission(plan.text, plan.record).text).toBe(text);
      }),
    );
  });
});
