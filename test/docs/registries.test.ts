import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/load-config.ts';

const HEAD = `apiVersion: image-checker/v1
kind: ServiceConfig
tls: { certificate: c.pem, key: k.pem, clientCA: ca.pem }
rules: rules.yaml
`;

// Its commands are run by test/e2e/registries-page.test.ts.
describe('docs/registries.md', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'image-checker-docs-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('shows settings that a config may have', async () => {
    const page = await readFile(new URL('../../docs/registries.md', import.meta.url), 'utf8');
    const blocks = Array.from(page.matchAll(/```yaml\n([^`]*)```/g), ([, block = '']) => block);
    expect(blocks).toHaveLength(1);
    const file = join(folder, 'config.yaml');
    await writeFile(file, HEAD + blocks.join(''));
    const { registries } = await loadConfig(file);
    expect(registries).toMatchObject({
      credentials: [join(folder, 'docker-config.json')],
      reviewDeadline: 8000,
      hosts: { 'docker.io': { mirror: 'mirror.example.com/docker-hub' } },
    });
  });

  it('shows every key that a host may have', async () => {
    const page = await readFile(new URL('../../docs/registries.md', import.meta.url), 'utf8');
    for (const key of ['ca', 'clientCertificate', 'clientKey', 'mirror', 'plainHttp: true']) {
      expect(page).toMatch(new RegExp(`^\\| .*\`${key}\``, 'm'));
    }
  });
});
