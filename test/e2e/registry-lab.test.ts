import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startRegistryLab } from '../support/registry-lab.ts';
import type { RegistryLab } from '../support/registry-lab.ts';

const OFFLINE = { '2.5': [], '3.1': ['--use-signing-config=false'] } as const;

describe.each(['basic', 'bearer', 'none'] as const)('the registry of the lab, auth %s', (auth) => {
  let lab: RegistryLab;
  beforeAll(async () => {
    lab = await startRegistryLab(auth);
  });
  afterAll(async () => {
    await lab.stop();
  });

  test.each(['2.5', '3.1'] as const)('cosign %s signs there and verifies it', async (version) => {
    const [image = ''] = await lab.image('--content', version, `team/app-${version}:v1`);
    const key = lab.file(`cosign-${version}`);
    await lab.cosign(version, 'generate-key-pair', '--output-key-prefix', key);
    const offline = [...OFFLINE[version], '--tlog-upload=false'];
    await lab.cosign(version, 'sign', '--key', `${key}.key`, ...offline, '-y', image);
    const verify = ['verify', '--key', `${key}.pub`, '--insecure-ignore-tlog=true', image];
    expect(await lab.cosign(version, ...verify)).toContain(image.slice(image.indexOf('@') + 1));
  });

  test('an index and its children are pushed', async () => {
    const platforms = ['--platform', 'linux/amd64', '--platform', 'linux/arm64/v8'];
    const pushed = await lab.image(...platforms, 'team/index:v1');
    expect(pushed).toHaveLength(3);
    for (const name of pushed) {
      expect(name).toMatch(new RegExp(`^${lab.host}/team/index@sha256:[0-9a-f]{64}$`));
    }
    expect(await lab.requests()).toContain('PUT /v2/team/index/manifests/v1');
  });
});
