import { describe, expect, it } from '@jest/globals';
import { planDisable } from '../../src/manifest/disable.ts';
import { planEnable } from '../../src/manifest/enable.ts';
import { fixture, FOLDERS } from './fixtures.ts';

type Edit = (text: string) => string;

/** The same edit by somebody else, on a manifest with and without ours, has the same result. */
describe('disable after somebody else', () => {
  const replace =
    (from: string | RegExp, to: string): Edit =>
    (text) =>
      text.replace(from, to);

  it.each<[string, string, Edit]>([
    ['bumped the image', 'kubeadm-v1.31.yaml', replace(/v1\.31\.2/, 'v1.32.0')],
    [
      'added a flag',
      'kubeadm-v1.31.yaml',
      replace(/( {4}- --etcd-c)/, '    - --profiling=false\n$1'),
    ],
    [
      'added a flag right behind that of the plugins',
      'kubeadm-v1.31.yaml',
      replace(/(--enable-admission-plugins=.*\n)/, '$1    - --profiling=false\n'),
    ],
    [
      'added plugins on both sides of ours',
      'kubeadm-v1.31.yaml',
      replace(/NodeRestriction(,ImagePolicyWebhook)?/, 'A,NodeRestriction,B$1,C'),
    ],
    ['took the other plugin out', 'kubeadm-v1.31.yaml', replace(/NodeRestriction,?/, '')],
    ['put the plugins in quotes', 'kubeadm-v1.31.yaml', replace(/(--enable-adm.*)/, '"$1"')],
    [
      'parted flag and value',
      'kubeadm-v1.31.yaml',
      replace('--enable-admission-plugins=', '--enable-admission-plugins\n    - '),
    ],
    [
      'wrote a comment',
      'kubeadm-v1.31.yaml',
      replace(/( {4}- --enable-adm.*)/, '    # why\n$1 # so'),
    ],
    [
      'added a mount and a volume behind ours',
      'kubeadm-v1.31.yaml',
      (text) =>
        text
          .replace('  hostNetwork', '    - mountPath: /x\n      name: x\n  hostNetwork')
          .replace('status:', '  - name: x\n    emptyDir: {}\nstatus:'),
    ],
    ['moved to Windows', 'kubeadm-v1.31.yaml', (text) => text.replaceAll('\n', '\r\n')],
    ['added the last line break', 'bare.yaml', (text) => `${text}\n`],
    ['added keys behind ours', 'bare.yaml', (text) => `${text}\n  hostNetwork: true\n`],
    [
      'added a volume where there had been none',
      'two-words.yaml',
      (text) => {
        const volume = '    - name: x\n      emptyDir: {}\n';
        return text.includes('  volumes:\n') ? text + volume : `${text}  volumes:\n${volume}`;
      },
    ],
    [
      'turned an entry of a JSON list into the last one',
      'json-indented.json',
      replace(',\n          "--secure-port=6443"', ''),
    ],
    ['indented JSON otherwise', 'json-tabs.json', (text) => text.replaceAll('\t', '  ')],
    ['wrote JSON on one line', 'json-indented.json', (text) => JSON.stringify(JSON.parse(text))],
    [
      'wrote comments between items in brackets',
      'flow.yaml',
      replace('--secure-port=6443', '# port\n        --secure-port=6443'),
    ],
  ])('%s', (_title, name, edit) => {
    const before = fixture(name);
    const { text, record } = planEnable(before, FOLDERS);
    const expected = edit(before);
    expect(expected).not.toBe(before);
    const plan = planDisable(edit(text), record);
    expect(plan.text).toBe(expected);
    expect(plan.warnings).toEqual([]);
  });
});
