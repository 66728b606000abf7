import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { issueOdd, newTestPki } from '../support/certificates.ts';
import { eventually } from './eventually.ts';
import { startScene } from './scene.ts';
import type { Scene } from './scene.ts';

describe('a kube-apiserver that gets no answer', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await startScene();
  });
  afterAll(() => scene.end());

  /** Its image would be allowed, if the service were asked and answered. */
  const createTrusted = (name: string) =>
    scene.createPod({ name, image: `docker.io/shop/${name}` });
  const untilLogged = (message: string) =>
    eventually(`a log line "${message}"`, () => scene.logged(message)[0]);

  describe('because the service is stopped', () => {
    beforeAll(async () => {
      expect(await scene.stopService()).toBe(0);
    });
    afterAll(() => scene.startService());

    it('refuses with defaultAllow: false', async () => {
      await scene.changePlugin({});
      const { code, stderr } = await createTrusted('closed');
      expect(code).toBe(1);
      expect(stderr).toContain('Error from server (Forbidden): ');
      expect(stderr).toContain('pods "closed" is forbidden: Post "https://127.0.0.1:');
      expect(stderr).toContain('connection refused');
      expect(await scene.auditAnnotations('closed')).toEqual({});
    });

    it('admits with defaultAllow: true, and says so in the audit log', async () => {
      await scene.changePlugin({ defaultAllow: true });
      const { code } = await scene.createPod({ name: 'open', image: 'quay.io/shop/open' });
      expect(code).toBe(0);
      expect(await scene.auditAnnotations('open')).toEqual({ 'failed-open': 'true' });
    });
  });

  it('refuses with a client certificate of another CA', async () => {
    const { otherAuthority } = await newTestPki();
    await scene.changePlugin({ client: issueOdd(otherAuthority, {}) });
    const { code, stderr } = await createTrusted('other-ca');
    expect(code).toBe(1);
    expect(stderr).toContain('Error from server (Forbidden): ');
    expect(stderr).toContain('pods "other-ca" is forbidden: Post "https://127.0.0.1:');
    expect((await untilLogged('TLS handshake refused')).level).toBe('warn');
    expect(scene.logged('image review decided')).toEqual([]);
  });

  it('refuses with a client certificate of the right CA and a name that is not allowed', async () => {
    const pki = join(scene.serviceFolder, 'pki');
    const authority = {
      certificate: await readFile(join(pki, 'ca-cert.pem'), 'utf8'),
      key: await readFile(join(pki, 'ca-key.pem'), 'utf8'),
    };
    await scene.changePlugin({ client: issueOdd(authority, { commonNames: ['kubelet'] }) });
    const { code, stderr } = await createTrusted('other-name');
    expect(code).toBe(1);
    expect(stderr).toContain('Error from server (Forbidden): ');
    expect(stderr).toContain('this client certificate is not allowed to ask');
    expect(await untilLogged('client refused')).toMatchObject({ names: ['kubelet'] });
    expect(scene.logged('image review decided')).toEqual([]);
  });
});
