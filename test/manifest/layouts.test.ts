import { describe, expect, it } from '@jest/globals';
import { planDisable } from '../../src/manifest/disable.ts';
import { planEnable } from '../../src/manifest/enable.ts';
import { effective } from './effective.ts';
import { FOLDERS } from './fixtures.ts';

describe('enable and disable', () => {
  it.each([
    [
      'with tabs behind dashes',
      '    command:\n    -\tkube-apiserver\n    -\t--profiling=false\t# c\n',
    ],
    ['with dashes on lines of their own', '    command:\n    -\n      kube-apiserver\n    # c\n'],
    [
      'with tags',
      '    command: !!seq\n    - !!str kube-apiserver\n    - !!str --profiling=false\n',
    ],
    ['with explicit keys', '    ? command\n    : - kube-apiserver\n      - --profiling=false\n'],
    ['with a comma behind the last item', '    command: [kube-apiserver, --profiling=false,]\n'],
    ['with commas in front', '    command: [ kube-apiserver\n      , --profiling=false\n      ]\n'],
    [
      'with comments in brackets',
      '    command: [ # a\n      kube-apiserver, # b\n      # c\n      ]\n',
    ],
    ['with quoted keys', '    "command":\n    - "kube-apiserver"\n'],
    [
      'with blank lines that belong to a value',
      '    command: [kube-apiserver]\n    env:\n    - value: |+\n        a\n\n\n',
    ],
    [
      'with a text over several lines',
      '    command: [kube-apiserver]\n    image: a\n      b\n      c # d\n',
    ],
    [
      'with a comment far to the left',
      '    command:\n    - kube-apiserver\n# c\n    - --profiling=false\n\n  # d\n',
    ],
    ['with a key that has no value', '    command: [kube-apiserver]\n    lifecycle: # none\n'],
    [
      'with lists that are empty keys',
      '    volumeMounts:\n    command: [kube-apiserver]\n  volumes:\n',
    ],
    ['with a document end', '    command: [kube-apiserver]\n...\n'],
  ])('work on a manifest %s', (_title, container) => {
    const before = `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: api\n${container}`;
    const { text, record } = planEnable(before, FOLDERS);
    expect(effective(text)).toEqual({
      enabled: ['ImagePolicyWebhook'],
      disabled: [],
      configFile: FOLDERS.configFile,
      mounts: ['/etc/kubernetes/admission <- /etc/kubernetes/admission (ro)'],
      volumes: ['/etc/kubernetes/admission Directory'],
    });
    expect(planDisable(text, record).text).toBe(before);
  });
});
