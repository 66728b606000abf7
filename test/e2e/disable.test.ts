import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MANIFEST } from '../support/node.ts';
import { eventually } from './eventually.ts';
import { ADMISSION, BACKUPS, startServedNode } from './served-node.ts';
import type { ServedNode } from './served-node.ts';

/** There and back again is two restarts of kube-apiserver. */
jest.setTimeout(300_000);

let node: ServedNode;

async function enable(): Promise<void> {
  const { code, stderr } = await node.run('enable', '--yes');
  if (code !== 0) throw new Error(`enable ended with ${code}\n${stderr}`);
}

/** Changes the manifest, and waits until the kubelet has followed. */
async function restarted(change: () => Promise<unknown>): Promise<void> {
  const old = await node.apiserver();
  await change();
  await eventually('another apiserver', async () => {
    const now = await node.apiserver();
    return now !== old && now !== '' && (await node.isReady()) ? true : undefined;
  });
}

async function expectOff(): Promise<void> {
  const { code, stderr } = await node.run('disable', '--yes');
  expect([code, stderr]).toEqual([0, expect.stringContaining('kube-apiserver is ready again')]);
  const free = await node.kubectl('run', 'free', '--image=nginx', '--dry-run=server');
  expect(free).toMatchObject({ code: 0 });
}

/** One node for all: each test leaves it without the plugin, and kubeadm's manifest on it. */
beforeAll(async () => {
  node = await startServedNode();
});
afterAll(() => node.end());

describe('disable', () => {
  beforeEach(enable);

  it('keeps what was edited since, and takes out what enable put in', async () => {
    const enabled = await node.read(MANIFEST);
    const edited = enabled
      .replace('NodeRestriction,', 'NodeRestriction,AlwaysPullImages,')
      .replace('privileged=true', 'privileged=true # reviewed');
    await restarted(() => node.replace(MANIFEST, edited));
    await expectOff();
    expect(await node.read(MANIFEST)).toBe(
      node.manifest
        .replace('=NodeRestriction', '=NodeRestriction,AlwaysPullImages')
        .replace('privileged=true', 'privileged=true # reviewed'),
    );
    await restarted(() => node.replace(MANIFEST, node.manifest));
  });

  it('finds nothing to undo in a manifest that an upgrade has written anew', async () => {
    await restarted(() => node.replace(MANIFEST, node.manifest));
    const { code, stdout } = await node.run('disable', '--yes');
    expect([code, stdout]).toEqual([0, 'the plugin is not switched on: nothing to undo\n']);
  });

  it('helps a node whose service is gone, where no pod starts any more', async () => {
    await node.stopService();
    const refused = await node.kubectl('run', 'refused', '--image=docker.io/nginx');
    expect(refused.stderr).toContain('connection refused');
    await expectOff();
    expect(await node.read(MANIFEST)).toBe(node.manifest);
    await node.startService();
  });

  it('helps a kube-apiserver that does not start, the admission folder being gone', async () => {
    await node.exec(['mv', ADMISSION, '/var/tmp/']);
    await node.exec(['pkill', '-x', 'kube-apiserver']);
    await eventually('no apiserver', async () => !(await node.isReady()) || undefined);
    await expectOff();
    expect(await node.read(MANIFEST)).toBe(node.manifest);
    await node.exec(['mv', '/var/tmp/admission', ADMISSION]);
  });

  it('works without the record of enable, by what the manifest shows', async () => {
    await node.exec(['rm', '-r', BACKUPS]);
    await expectOff();
    expect(await node.read(MANIFEST)).toBe(node.manifest);
  });

  it('puts the plugin back on SIGINT, and on the next run takes it off', async () => {
    const enabled = await node.read(MANIFEST);
    const running = node.spawn(['image-checker', 'disable', '--yes']);
    await eventually('the edit', () =>
      running.output().includes(`wrote ${MANIFEST}`) ? true : undefined,
    );
    await running.kill('INT');
    const { code, stderr } = await running.ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining('rolled back: ')]);
    expect(await node.read(MANIFEST)).toBe(enabled);
    await expectOff();
    expect(await node.read(MANIFEST)).toBe(node.manifest);
  });
});

/** With EventRateLimit configured by two files, as the documentation of Kubernetes has it. */
describe('an admission configuration that is in use', () => {
  const folder = '/etc/kubernetes/psa';
  const inUse = `# kept by the platform team
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: EventRateLimit # CIS 1.2.9
    path: eventconfig.yaml
`;
  const limits = `apiVersion: eventratelimit.admission.k8s.io/v1alpha1
kind: Configuration
limits: [{ type: Server, qps: 50, burst: 100 }]
`;
  const fixture = join(import.meta.dirname, '../manifest/fixtures/config-in-use.yaml');

  it('is merged into, and given back to the byte', async () => {
    const manifest = await readFile(fixture, 'utf8');
    await node.write(`${folder}/config.yaml`, inUse);
    await node.write(`${folder}/eventconfig.yaml`, limits);
    await restarted(() => node.replace(MANIFEST, manifest));
    await enable();
    const merged = await node.read(`${folder}/config.yaml`);
    expect(merged.startsWith(inUse)).toBe(true);
    expect(merged.slice(inUse.length)).toContain('name: ImagePolicyWebhook');
    expect(await node.read(`${folder}/eventconfig.yaml`)).toBe(limits);
    const refused = await node.kubectl('run', 'denied', '--image=nginx');
    expect(refused.stderr).toContain('not trusted image!');
    const allowed = await node.kubectl('run', 'allowed', '--image=docker.io/nginx');
    expect(allowed).toMatchObject({ code: 0 });
    await expectOff();
    expect(await node.read(MANIFEST)).toBe(manifest);
    expect(await node.read(`${folder}/config.yaml`)).toBe(inUse);
  });
});
