import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startScene } from './scene.ts';
import type { Scene } from './scene.ts';

const trusting = (...registries: string[]): object => ({
  rules: [{ name: 'trusted', require: { registries } }],
});

describe('a changed rules file', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await startScene(trusting('docker.io'));
  });
  afterAll(() => scene.end());

  it('decides from the reload on, with no restart', async () => {
    const before = await scene.createPod({ name: 'early', image: 'quay.io/shop/early' });
    expect(before.code).toBe(1);
    expect(before.stderr).toContain('registry quay.io is none of docker.io (rule trusted)');

    await scene.changeRules(trusting('quay.io'));
    const after = await scene.createPod({ name: 'late', image: 'quay.io/shop/late' });
    expect(after).toMatchObject({ code: 0, stdout: 'pod/late created\n' });
    const other = await scene.createPod({ name: 'other', image: 'docker.io/shop/late' });
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('registry docker.io is none of quay.io (rule trusted)');
  });

  it('decides after a restart of the service', async () => {
    expect(await scene.stopService()).toBe(0);
    await scene.writeRules(trusting('ghcr.io'));
    await scene.startService();
    expect((await scene.createPod({ name: 'good', image: 'ghcr.io/shop/new' })).code).toBe(0);
    const { code, stderr } = await scene.createPod({ name: 'bad', image: 'quay.io/shop/new' });
    expect(code).toBe(1);
    expect(stderr).toContain('registry quay.io is none of ghcr.io (rule trusted)');
  });

  it('decides about a change of a pod that is there already', async () => {
    const image = 'docker.io/shop/old';
    await scene.changePlugin({ noCache: true });
    await scene.changeRules(trusting('docker.io'));
    expect((await scene.createPod({ name: 'old', image })).code).toBe(0);
    const allowed = await scene.kubectl(['label', 'pod', 'old', 'team=shop']);
    expect(allowed).toMatchObject({ code: 0, stdout: 'pod/old labeled\n' });

    await scene.changeRules(trusting('quay.io'));
    const { code, stderr } = await scene.kubectl(['label', 'pod', 'old', 'tier=web']);
    expect(code).toBe(1);
    expect(stderr).toContain('pods "old" is forbidden: image policy webhook backend denied');
    expect(stderr).toContain(`${image}: registry docker.io is none of quay.io (rule trusted)`);
    // kube-apiserver asks once more before it refuses, with the object as etcd has it.
    const [created, labeled, ...refused] = await scene.reviewsOf(image, 3);
    expect([created, labeled]).toMatchObject([{ verdict: 'allowed' }, { verdict: 'allowed' }]);
    for (const review of refused) expect(review).toMatchObject({ verdict: 'denied' });
  });
});
