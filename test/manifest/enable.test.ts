import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { planEnable } from '../../src/manifest/enable.ts';
import { unifiedDiff } from '../../src/manifest/unified-diff.ts';
import { effective } from './effective.ts';
import { fixture, FIXTURES, FOLDERS } from './fixtures.ts';
import { pod } from './pod.ts';
import type { PodParts } from './pod.ts';

const MOUNT = '/etc/kubernetes/admission <- /etc/kubernetes/admission (ro)';
const VOLUME = '/etc/kubernetes/admission Directory';

/** Lines of the fixture that are edited; of the others it is that of the one flag. */
const TOUCHED_LINES: Readonly<Record<string, number>> = {
  'comments.yaml': 2, // both flags
  'empty-keys.yaml': 2, // both flags
  'twice.yaml': 3, // all flags are on one line, and both lists are empty
  'two-words.yaml': 2, // both flags
};

describe.each(FIXTURES)('enable on %s', (name) => {
  const before = fixture(name);
  const plan = planEnable(before, FOLDERS);

  it('adds the plugin, the file, the mount and the volume, and nothing else', () => {
    const old = effective(before);
    const now = effective(plan.text);
    const mounted = old.mounts.some((mount) => mount.startsWith('/etc/kubernetes/ <-'));
    expect(now).toEqual({
      enabled: expect.arrayContaining([...old.enabled, 'ImagePolicyWebhook']),
      disabled: old.disabled.filter((plugin) => plugin !== 'ImagePolicyWebhook'),
      configFile:
        old.configFile === '' ? FOLDERS.configFile : (old.configFile ?? FOLDERS.configFile),
      mounts: mounted ? old.mounts : [...old.mounts, MOUNT],
      volumes: mounted ? old.volumes : [...old.volumes, VOLUME],
    });
    expect(now.enabled).toHaveLength(old.enabled.length + 1);
  });

  it('changes nothing a second time', () => {
    const again = planEnable(plan.text, FOLDERS);
    expect(again.text).toBe(plan.text);
    expect(again.changes).toEqual([]);
    expect(again.record).toEqual({ version: 1, flags: [], words: [] });
  });

  it('touches no line but those of the flags and of the lists that it edits', () => {
    const diff = unifiedDiff(before, plan.text, { oldName: 'a', newName: 'b', context: 0 });
    expect(diff.split('\n').filter((line) => /^-(?!--)/.test(line))).toHaveLength(
      TOUCHED_LINES[name] ?? 1,
    );
  });

  it('writes the line ends that were there', () => {
    const breaks = (text: string): Set<string> => new Set(text.match(/\r?\n/g));
    expect(breaks(plan.text)).toEqual(breaks(before));
    expect(plan.text.endsWith('\n')).toBe(before.endsWith('\n'));
  });
});

describe('enable', () => {
  it.each(FIXTURES.filter((name) => name.endsWith('.json')))(
    'leaves %s what the kubelet takes for JSON',
    (name) => {
      const { text } = planEnable(fixture(name), FOLDERS);
      expect(JSON.parse(text)).toEqual(parse(text));
    },
  );

  it("adds to kubeadm's manifest what a careful person would", () => {
    const before = fixture('kubeadm-v1.31.yaml');
    const names = { oldName: 'old', newName: 'new', context: 0 };
    expect(unifiedDiff(before, planEnable(before, FOLDERS).text, names)).toBe(`--- old
+++ new
@@ -20 +20,2 @@
-    - --enable-admission-plugins=NodeRestriction
+    - --enable-admission-plugins=NodeRestriction,ImagePolicyWebhook
+    - --admission-control-config-file=/etc/kubernetes/admission/admission_config.yaml
@@ -93,0 +95,3 @@
+    - mountPath: /etc/kubernetes/admission
+      name: image-checker-admission
+      readOnly: true
@@ -120,0 +125,4 @@
+  - hostPath:
+      path: /etc/kubernetes/admission
+      type: Directory
+    name: image-checker-admission
`);
  });

  it('says what it does', () => {
    const { changes } = planEnable(fixture('name-taken.yaml'), FOLDERS);
    expect(changes).toEqual([
      {
        kind: 'plugin-no-longer-disabled',
        message: 'take ImagePolicyWebhook out of --disable-admission-plugins',
      },
      {
        kind: 'plugin-added',
        message: 'add --enable-admission-plugins with ImagePolicyWebhook',
      },
      {
        kind: 'config-file-added',
        message: `add --admission-control-config-file with ${FOLDERS.configFile}`,
      },
      {
        kind: 'volume-added',
        message: "add the volume image-checker-admission-2 of the host's /etc/kubernetes/admission",
      },
      {
        kind: 'mount-added',
        message: 'mount image-checker-admission-2 at /etc/kubernetes/admission, read-only',
      },
    ]);
  });

  it('names the file to merge into when one is in use', () => {
    const { configFile, changes } = planEnable(fixture('config-in-use.yaml'), FOLDERS);
    expect(configFile).toEqual({
      path: '/etc/kubernetes/psa/config.yaml',
      hostPath: '/etc/kubernetes/psa/config.yaml',
      foreign: true,
    });
    expect(changes.map(({ kind }) => kind)).toEqual([
      'plugin-added',
      'volume-added',
      'mount-added',
    ]);
  });

  it('finds the file on the host by the innermost mount', () => {
    const text = pod({
      flags: ['--admission-control-config-file=/etc/adm/sub/file.yaml'],
      mounts: ['/etc/adm <- a', '/etc/adm/sub/ <- b'],
      volumes: ['a: /srv/a', 'b: /srv/b/'],
    });
    expect(planEnable(text, FOLDERS).configFile.hostPath).toBe('/srv/b/file.yaml');
  });

  it('keeps the folders of the host and of the container apart', () => {
    const { text, configFile } = planEnable(fixture('bare.yaml'), {
      admission: '/srv/admission/',
      mounted: '/etc/admission',
      configFile: '/etc/admission/admission_config.yaml',
    });
    expect(effective(text).mounts).toEqual(['/etc/admission <- /srv/admission (ro)']);
    expect(configFile.hostPath).toBe('/srv/admission/admission_config.yaml');
  });

  it.each([
    ['a blank', '/etc/my admission'],
    ['a colon', '/etc/a: b'],
    ['a hash', '/etc/a #b'],
    ['a quote', `/etc/it's "it"`],
    ['a line end of Unicode', '/etc/\u2028\u0085x'],
  ])('quotes a folder with %s', (_title, admission) => {
    for (const name of ['bare.yaml', 'flow.yaml', 'json-compact.json', 'indented-args.yaml']) {
      const options = { admission, mounted: admission, configFile: `${admission}/c.yaml` };
      const now = effective(planEnable(fixture(name), options).text);
      expect(now.configFile).toBe(`${admission}/c.yaml`);
      expect(now.mounts.at(-1)).toBe(`${admission} <- ${admission} (ro)`);
    }
  });

  it.each<[string, PodParts, string[]]>([
    [
      'takes a volume of the same folder, whatever its name',
      { volumes: ['adm: /etc/kubernetes/admission/'] },
      ['plugin-added', 'config-file-added', 'mount-added'],
    ],
    [
      'takes a mount of the same folder',
      { volumes: ['adm: /etc/kubernetes/admission'], mounts: ['/etc/kubernetes/admission <- adm'] },
      ['plugin-added', 'config-file-added'],
    ],
    [
      'takes a mount of a parent folder',
      { volumes: ['etc: /etc'], mounts: ['/etc <- etc'] },
      ['plugin-added', 'config-file-added'],
    ],
    [
      'takes no mount of a folder with the same beginning',
      { volumes: ['adm: /etc/kubernetes/adm'], mounts: ['/etc/kubernetes/adm <- adm'] },
      ['plugin-added', 'config-file-added', 'volume-added', 'mount-added'],
    ],
    [
      'leaves the plugin in whichever flag names it',
      { flags: ['--enable-admission-plugins=ImagePolicyWebhook', '--enable-admission-plugins=A'] },
      ['config-file-added', 'volume-added', 'mount-added'],
    ],
    [
      'takes no plugin for ours by a part of its name',
      { flags: ['--enable-admission-plugins=XImagePolicyWebhook,ImagePolicyWebhooks'] },
      ['plugin-added', 'config-file-added', 'volume-added', 'mount-added'],
    ],
  ])('%s', (_title, parts, kinds) => {
    expect(planEnable(pod(parts), FOLDERS).changes.map(({ kind }) => kind)).toEqual(kinds);
  });
});
