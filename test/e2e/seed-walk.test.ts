import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startScene } from './scene.ts';
import type { Scene } from './scene.ts';

const DENIED = 'is forbidden: image policy webhook backend denied one or more images: ';

describe('a kube-apiserver with the files that setup made', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await startScene();
  });
  afterAll(() => scene.end());

  it('refuses kubectl run nginx --image=nginx and says how to write it', async () => {
    const { code, stdout, stderr } = await scene.kubectl(['run', 'nginx', '--image=nginx']);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(`Error from server (Forbidden): pods "nginx" ${DENIED}nginx: `);
    expect(stderr).toContain('write docker.io/nginx (rule trusted-registries): not trusted image!');
  });

  it('creates kubectl run nginx --image=docker.io/nginx', async () => {
    const created = await scene.kubectl(['run', 'nginx', '--image=docker.io/nginx']);
    expect(created).toMatchObject({ code: 0, stdout: 'pod/nginx created\n' });
    expect(await scene.reviewsOf('docker.io/nginx')).toMatchObject([
      { verdict: 'allowed', namespace: 'default', client: 'api-server' },
    ]);
  });

  it('refuses an image of a registry that is not on the list', async () => {
    const image = 'registry.example.com/shop/cart:1.2';
    const { code, stderr } = await scene.createPod({ name: 'cart', image });
    expect(code).toBe(1);
    expect(stderr).toContain(`${DENIED}${image}: registry registry.example.com is none of `);
    expect(await scene.reviewsOf(image)).toMatchObject([{ verdict: 'denied' }]);
  });

  it('refuses a pod for its init container alone', async () => {
    const image = 'docker.io/library/httpd:2.4';
    const initImage = 'quay.io/shop/migrate:7';
    const { code, stderr } = await scene.createPod({ name: 'init-bad', image, initImage });
    expect(code).toBe(1);
    expect(stderr).toContain(`${DENIED}${initImage}: `);
    expect(stderr).not.toContain(image);
    expect(await scene.reviewsOf(initImage)).toMatchObject([{ images: [image, initImage] }]);
  });

  it('names the images of containers and init containers when all are refused', async () => {
    const image = 'quay.io/shop/web:7';
    const initImage = 'ghcr.io/shop/migrate:8';
    const { code, stderr } = await scene.createPod({ name: 'both-bad', image, initImage });
    expect(code).toBe(1);
    expect(stderr).toContain(`${image}: registry quay.io `);
    expect(stderr).toContain(`${initImage}: registry ghcr.io `);
  });

  it('creates a pod whose init container is trusted too', async () => {
    const image = 'docker.io/library/httpd:2.2';
    const initImage = 'registry.k8s.io/busybox:1.36';
    const { code } = await scene.createPod({ name: 'init-good', image, initImage });
    expect(code).toBe(0);
    expect(await scene.reviewsOf(initImage)).toMatchObject([{ images: [image, initImage] }]);
  });

  it('refuses an image string that no runtime can read', async () => {
    const image = 'docker.io/Shop/Cart';
    const { code, stderr } = await scene.createPod({ name: 'unreadable', image });
    expect(code).toBe(1);
    expect(stderr).toContain(`${DENIED}${image}: `);
  });

  it('reviews a server-side dry run as it would the real thing', async () => {
    const dryRun = (name: string, image: string) =>
      scene.kubectl(['run', name, `--image=${image}`, '--dry-run=server']);
    const refused = await dryRun('dry-bad', 'quay.io/shop/dry:1');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`pods "dry-bad" ${DENIED}quay.io/shop/dry:1: `);
    const accepted = await dryRun('dry-good', 'docker.io/shop/dry:1');
    expect(accepted).toMatchObject({ code: 0, stdout: 'pod/dry-good created (server dry run)\n' });
    expect((await scene.kubectl(['get', 'pod', 'dry-good'])).stderr).toContain('NotFound');
  });
});
