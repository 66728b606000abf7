import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MANIFEST } from '../support/node.ts';
import type { Running } from '../support/node.ts';
import { eventually } from './eventually.ts';
import { BACKUPS, startServedNode } from './served-node.ts';
import type { ServedNode } from './served-node.ts';

/** There and back again is two restarts of kube-apiserver. */
jest.setTimeout(300_000);

let node: ServedNode;
beforeAll(async () => {
  node = await startServedNode();
});
afterAll(() => node.end());

const enable = (...flags: readonly string[]): Running =>
  node.spawn(['image-checker', 'enable', '--yes', ...flags]);

const said = (running: Running, text: string): Promise<true> =>
  eventually(`"${text}"`, () => (running.output().includes(text) ? true : undefined));

/** The manifest as it was, a healthy server that asks nobody, and nothing to undo. */
async function expectAsBefore(): Promise<void> {
  expect(await node.read(MANIFEST)).toBe(node.manifest);
  expect(await node.list('/etc/kubernetes/manifests')).toEqual(['kube-apiserver.yaml']);
  const others = (await node.list(BACKUPS)).filter((name) => !/-before-(?:en|dis)able$/.test(name));
  expect(others).toEqual([]);
  expect(await node.isReady()).toBe(true);
  expect((await node.apiserver()).split('\n')).toHaveLength(2);
  const free = await node.kubectl('run', 'free', '--image=nginx', '--dry-run=server');
  expect(free).toMatchObject({ code: 0 });
}

const HEALTHY = 'rolled back: the files are as they were, and kube-apiserver is healthy';

describe('enable puts everything back', () => {
  it('when the service ends after pre-flight', async () => {
    const running = enable();
    await said(running, `wrote ${MANIFEST}`);
    await node.stopService();
    const { code, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/error: https:\/\/127\.0\.0\.1:1234\/check-image: .*ECONNREFUSED/);
    expect(stderr).toContain('hint: it answered before kube-apiserver was restarted: see its log');
    expect(stderr).toContain(HEALTHY);
    await node.startService();
    await expectAsBefore();
  });

  it('when kube-apiserver does not start, and says what its log said', async () => {
    const certificate = '/etc/kubernetes/pki/apiserver.crt';
    const running = enable('--timeout', '20s');
    await said(running, `wrote ${MANIFEST}`);
    await node.exec(['mv', certificate, `${certificate}.away`]);
    await said(running, 'rolling back');
    await node.exec(['mv', `${certificate}.away`, certificate]);
    const { code, stderr } = await running.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/error: expected kube-apiserver to be ready within 20 s of the enable/);
    expect(stderr).toMatch(/error: kube-apiserver said: .*apiserver\.crt: no such file/);
    expect(stderr).toContain('hint: a slow machine may need a longer --timeout');
    expect(stderr).toContain(HEALTHY);
    await expectAsBefore();
  });

  it('when the kubelet does not act', async () => {
    await node.exec(['pkill', '-STOP', '-f', 'scripts/lab/kubelet.js']);
    const { code, stderr } = await enable('--timeout', '5s').ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/expected the kubelet to restart kube-apiserver, got the same process/);
    expect(stderr).toMatch(/hint: does the kubelet run, and read this manifest\?/);
    await node.exec(['pkill', '-CONT', '-f', 'scripts/lab/kubelet.js']);
    await expectAsBefore();
  });

  it.each(['INT', 'TERM'] as const)('on SIG%s while kube-apiserver is away', async (name) => {
    const running = enable();
    await said(running, 'kube-apiserver is down');
    await running.kill(name);
    const { code, stderr } = await running.ended;
    expect(stderr).toContain(`error: interrupted by SIG${name}`);
    expect(stderr).toContain(HEALTHY);
    expect(code).toBe(1);
    await expectAsBefore();
  });

  it('on SIGINT right after the edit, however often it comes', async () => {
    const running = enable();
    await said(running, `wrote ${MANIFEST}`);
    await running.kill('INT');
    await said(running, 'rolling back');
    await running.kill('INT');
    await running.kill('INT');
    const { code, stderr } = await running.ended;
    expect(stderr).toContain('still putting back what was there, please wait');
    expect(stderr).toContain(HEALTHY);
    expect(code).toBe(1);
    await expectAsBefore();
  });
});

describe('enable touches nothing', () => {
  it('when SIGINT comes during pre-flight', async () => {
    const before = await node.apiserver();
    const running = enable();
    await said(running, 'checking the files and the service');
    await running.kill('INT');
    const { code, stderr } = await running.ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining('error: interrupted by SIGINT')]);
    expect(await node.read(MANIFEST)).toBe(node.manifest);
    expect(await node.apiserver()).toBe(before);
  });

  it('when another run is at work', async () => {
    const first = enable();
    await said(first, `wrote ${MANIFEST}`);
    const second = await enable().ended;
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/expected no other run of enable or disable, got process \d+/);
    expect((await first.ended).code).toBe(0);
    expect(await node.run('disable', '--yes')).toMatchObject({ code: 0 });
    await expectAsBefore();
  });
});

describe('after a run that was killed', () => {
  it('disable gives every byte back', async () => {
    const running = enable();
    await said(running, `wrote ${MANIFEST}`);
    await running.kill('KILL');
    await running.ended;
    expect(await node.read(MANIFEST)).not.toBe(node.manifest);
    const { code, stderr } = await node.run('disable', '--yes');
    expect([code, stderr]).toEqual([0, expect.stringContaining('kube-apiserver is ready again')]);
    expect(await node.read(MANIFEST)).toBe(node.manifest);
    await expectAsBefore();
  });
});
