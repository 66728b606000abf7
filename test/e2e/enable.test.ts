import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MANIFEST } from '../support/node.ts';
import { BACKUPS, startServedNode } from './served-node.ts';
import type { ServedNode } from './served-node.ts';

const fixture = (name: string): string =>
  join(import.meta.dirname, '../manifest/fixtures', `${name}.yaml`);

/** One node, from before to after: each test goes on where the one before it ended. */
describe('enable and disable on a control-plane node of kubeadm', () => {
  let node: ServedNode;
  beforeAll(async () => {
    node = await startServedNode();
  });
  afterAll(() => node.end());

  it('know the static pod of the service as a pod, key by key', async () => {
    const pod = '/opt/image-checker/admission/image-checker.pod.yaml';
    const ended = await node.kubectl('create', '--dry-run=server', '--validate', '-f', pod);
    expect(ended).toMatchObject({
      code: 0,
      stdout: 'pod/image-checker created (server dry run)\n',
    });
  });

  it('show in a dry run what enable would change, and touch nothing', async () => {
    const before = await node.apiserver();
    const { code, stdout } = await node.run('enable', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toContain(
      '-    - --enable-admission-plugins=NodeRestriction\n+    - --enable-admission-plugins=NodeRestriction,ImagePolicyWebhook\n',
    );
    expect(stdout).toContain('dry run: nothing was touched');
    expect(await node.read(MANIFEST)).toBe(node.manifest);
    expect(await node.apiserver()).toBe(before);
    expect(await node.list('/etc/kubernetes')).not.toContain('image-checker-backup');
  });

  it('change nothing while nobody has agreed', async () => {
    const { code, stderr } = await node.run('enable');
    expect(code).toBe(2);
    expect(stderr).toContain(
      'image-checker: error: enable: expected somebody to confirm it, got no terminal',
    );
    expect(await node.read(MANIFEST)).toBe(node.manifest);
  });

  it('switch the plugin on, and prove that it refuses and allows', async () => {
    const before = await node.apiserver();
    const { code, stdout, stderr } = await node.run('enable', '--yes');
    expect([code, stderr]).toEqual([0, expect.stringContaining('kube-apiserver is ready again')]);
    expect(stdout).toContain('the plugin is switched on\n');
    expect(stderr).toContain('proven: a pod with image-checker.invalid/probe is refused');
    expect(stderr).toContain('proven: a pod with k8s.gcr.io/kube-apiserver:v1.20.2 is allowed');
    expect(stderr).not.toContain('\u001b');
    expect(await node.apiserver()).not.toBe(before);
  });

  it.each([
    ['nginx', 'the registry is not written out, write docker.io/nginx'],
    ['quay.io/prometheus/prometheus', 'not trusted image!'],
    ['docker.io.evil.example/nginx', 'not trusted image!'],
    ['localhost:5000/nginx', 'not trusted image!'],
  ])('have kubectl run --image=%s refused', async (image, reason) => {
    const { code, stderr } = await node.kubectl('run', 'denied', `--image=${image}`);
    expect(code).toBe(1);
    expect(stderr).toContain('image policy webhook backend denied one or more images');
    expect(stderr).toContain(reason);
  });

  it.each(['docker.io/nginx', 'k8s.gcr.io/pause:3.2', 'registry.k8s.io/pause:3.9'])(
    'have kubectl run --image=%s allowed',
    async (image) => {
      const name = `allowed-${image.replaceAll(/[^a-z0-9]/g, '-')}`;
      expect(await node.kubectl('run', name, `--image=${image}`)).toMatchObject({
        code: 0,
        stdout: `pod/${name} created\n`,
      });
    },
  );

  it('leave a node at which the doctor finds nothing but the age of its kube-apiserver', async () => {
    const { stdout } = await node.run('doctor', '-o', 'json');
    const { findings } = JSON.parse(stdout) as { findings: { id: string; status: string }[] };
    const faults = findings.filter(({ status }) => status !== 'ok').map(({ id }) => id);
    expect(faults).toEqual(['version-cve-2023-2727']);
  });

  it('change nothing a second time, and restart nothing', async () => {
    const [text, before] = [await node.read(MANIFEST), await node.apiserver()];
    const { code, stdout } = await node.run('enable', '--yes');
    expect([code, stdout]).toEqual([0, 'the plugin is switched on already: nothing to change\n']);
    expect(await node.read(MANIFEST)).toBe(text);
    expect(await node.apiserver()).toBe(before);
  });

  it('give every byte back when it is switched off', async () => {
    const { code, stdout, stderr } = await node.run('disable', '--yes');
    expect([code, stderr]).toEqual([0, expect.stringContaining('kube-apiserver is ready again')]);
    expect(stdout).toContain('the plugin is switched off\n');
    expect(await node.read(MANIFEST)).toBe(node.manifest);
    expect((await node.exec(['stat', '-c', '%a %u', MANIFEST])).stdout).toBe('600 0\n');
    expect(await node.kubectl('run', 'free', '--image=nginx')).toMatchObject({ code: 0 });
  });

  it('leave two backups outside of the manifests folder, and nothing else', async () => {
    expect(await node.list('/etc/kubernetes/manifests')).toEqual(['kube-apiserver.yaml']);
    const [before, after, ...others] = await node.list(BACKUPS);
    expect([before, after]).toEqual([
      expect.stringMatching(/^\d{8}T\d{6}Z-before-enable$/),
      expect.stringMatching(/^\d{8}T\d{6}Z-before-disable$/),
    ]);
    expect(others).toEqual([]);
    expect(await node.read(`${BACKUPS}/${before ?? ''}/kube-apiserver.yaml`)).toBe(node.manifest);
  });

  it('have nothing to do a second time', async () => {
    const { code, stdout } = await node.run('disable', '--yes');
    expect([code, stdout]).toEqual([0, 'the plugin is not switched on: nothing to undo\n']);
  });
});

describe('enable and disable, there and back, over manifests as kubeadm writes them', () => {
  it.each(['kubeadm-v1.24', 'kubeadm-v1.31', 'kubeadm-v1.35', 'comments'])('%s', async (name) => {
    const node = await startServedNode({ manifest: fixture(name) });
    try {
      expect(await node.run('enable', '--yes')).toMatchObject({ code: 0 });
      const refused = await node.kubectl('run', 'denied', '--image=nginx');
      expect(refused.stderr).toContain('not trusted image!');
      expect(await node.run('disable', '--yes')).toMatchObject({ code: 0 });
      expect(await node.read(MANIFEST)).toBe(node.manifest);
      expect(await node.kubectl('run', 'free', '--image=nginx')).toMatchObject({ code: 0 });
    } finally {
      await node.end();
    }
  });
});
