import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MANIFEST, startNode } from '../support/node.ts';
import type { ControlPlaneNode } from '../support/node.ts';
import { eventually } from './eventually.ts';

/** The stand-in for the kubelet, which the other tests of a node rest on. */
describe('the stand-in for the kubelet', () => {
  let node: ControlPlaneNode;
  let manifest: string;
  beforeAll(async () => {
    node = await startNode();
    manifest = await node.read(MANIFEST);
  });
  afterAll(() => node.end());

  const isReady = async (): Promise<boolean> =>
    (await node.exec(['kubectl', 'get', '--raw', '/readyz', '--request-timeout=2s'])).stdout ===
    'ok';
  const untilReady = () =>
    eventually('an apiserver that is ready', async () => (await isReady()) || undefined);
  const processes = async (): Promise<string> =>
    (await node.exec(['pgrep', '-a', 'kube-apiserver'])).stdout;
  const untilDown = () =>
    eventually('no apiserver', async () => ((await processes()) === '' ? true : undefined));
  const kubeletLog = () => node.read('/var/log/kubelet.log');
  const containerLogs = async (): Promise<string> =>
    (await node.exec(['sh', '-c', 'cat /var/log/containers/*.log'])).stdout;
  /** In one rename, from a dot-file. */
  const replace = async (path: string, text: string): Promise<void> => {
    const temporary = path.replace(/[^/]+$/, '.new');
    await node.write(temporary, text);
    await node.exec(['mv', temporary, path]);
  };
  const edited = (old: string, replacement: string): string => {
    expect(manifest).toContain(old);
    return manifest.replace(old, replacement);
  };
  /** Waits for a new line of its log that holds the text. */
  const says = async (text: string, change: () => Promise<unknown>): Promise<void> => {
    const before = (await kubeletLog()).length;
    await change();
    await eventually(`"${text}" in the log of the kubelet`, async () =>
      (await kubeletLog()).slice(before).includes(text) ? true : undefined,
    );
  };

  it('runs what the manifest says, and logs as a container runtime does', async () => {
    expect(await containerLogs()).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{9}Z stderr F /m);
    expect((await processes()).match(/kube-apiserver --advertise-address/g)).toHaveLength(1);
  });

  it('starts the apiserver anew when the file changes', async () => {
    await says('started container', () =>
      replace(MANIFEST, edited('- --allow-privileged=true', '- --allow-privileged=false')),
    );
    await untilReady();
    expect(await processes()).toContain('--allow-privileged=false');
  });

  it('leaves it alone when a dot-file appears', async () => {
    const before = await kubeletLog();
    await node.write('/etc/kubernetes/manifests/.backup.yaml', 'no: pod\n');
    await node.exec(['sleep', '2']);
    expect(await kubeletLog()).toBe(before);
    await node.exec(['rm', '/etc/kubernetes/manifests/.backup.yaml']);
  });

  it('starts a second apiserver for a copy of the manifest, which finds its port taken', async () => {
    const copy = `${MANIFEST}.bak`;
    await says('back-off', () => node.write(copy, manifest));
    expect(await containerLogs()).toContain('address already in use');
    expect(await isReady()).toBe(true);
    await node.exec(['rm', copy]);
  });

  it('takes it down when the manifest is gone', async () => {
    await node.exec(['rm', MANIFEST]);
    await untilDown();
  });

  it('takes it down when the manifest is no YAML', async () => {
    await says('started container', () => replace(MANIFEST, manifest));
    await says('no pod: ', () => replace(MANIFEST, `${manifest}\n\t- [`));
    await untilDown();
  });

  it.each([
    {
      title: 'a volumeMount that has no volume',
      old: '    name: ca-certs\n  - hostPath',
      replacement: '    name: other\n  - hostPath',
      message: 'volumeMount ca-certs: there is no volume of that name',
    },
    {
      title: 'a hostPath that is not there',
      old: 'path: /etc/ca-certificates\n      type: DirectoryOrCreate',
      replacement: 'path: /etc/absent\n      type: Directory',
      message: 'hostPath type check failed: /etc/absent is not a directory',
    },
    {
      title: 'a hostPath of another type',
      old: 'path: /etc/ca-certificates\n      type: DirectoryOrCreate',
      replacement: 'path: /etc/hosts\n      type: Directory',
      message: 'hostPath type check failed: /etc/hosts is not a directory',
    },
    {
      title: 'a program that it does not have',
      old: '- kube-apiserver\n',
      replacement: '- kube-apisrever\n',
      message: 'ErrImagePull',
    },
  ])('starts nothing for $title', async ({ old, replacement, message }) => {
    await says(message, () => replace(MANIFEST, edited(old, replacement)));
    await untilDown();
  });

  it('shows the apiserver nothing that is not mounted, and tries again and again', async () => {
    await node.write('/etc/kubernetes/admission/config.yaml', 'kind: AdmissionConfiguration\n');
    const flag = '- --admission-control-config-file=/etc/kubernetes/admission/config.yaml';
    await says('back-off 2 s', () => replace(MANIFEST, edited('- --allow-privileged=true', flag)));
    expect(await containerLogs()).toContain(
      'open /etc/kubernetes/admission/config.yaml: no such file or directory',
    );
  });
});
