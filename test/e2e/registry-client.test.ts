import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RegistriesConfig } from '../../src/config/registries.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { ClosableRegistry } from '../../src/registry/create-registry.ts';
import type { Repository } from '../../src/registry/registry.ts';
import { call } from '../cli/call.ts';
import type { Called } from '../cli/call.ts';
import { startRegistryLab } from '../support/registry-lab.ts';
import type { RegistryLab } from '../support/registry-lab.ts';

const soon = (): AbortSignal => AbortSignal.timeout(20_000);
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

interface OciManifest {
  readonly config: { readonly digest: string; readonly size: number };
  readonly layers: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
  }[];
}

const parse = (bytes: Uint8Array | undefined): OciManifest =>
  JSON.parse(Buffer.from(bytes ?? []).toString()) as OciManifest;
const digestIn = (name: string): string => name.slice(name.indexOf('@') + 1);

describe.each(['basic', 'bearer'] as const)('a real registry, auth %s', (auth) => {
  let lab: RegistryLab;
  let registry: ClosableRegistry;
  let app: Repository;
  let image = '';
  const clients: ClosableRegistry[] = [];

  function client(credentials: readonly string[]): ClosableRegistry {
    const hosts: RegistriesConfig['hosts'] = {
      [lab.host]: { ca: lab.file('ca.pem'), plainHttp: false },
    };
    const deps = { now: Date.now, random: Math.random, env: process.env };
    const opened = createRegistry({ credentials: [...credentials], hosts }, deps);
    clients.push(opened);
    return opened;
  }

  beforeAll(async () => {
    lab = await startRegistryLab(auth);
    registry = client([lab.file('puller.json')]);
    app = { registry: lab.host, repository: 'team/app' };
    [image = ''] = await lab.image('team/app:v1');
    const offline = ['--tlog-upload=false', '-y', image];
    await lab.cosign('2.5', 'generate-key-pair', '--output-key-prefix', lab.file('k'));
    await lab.cosign('2.5', 'sign', '--key', lab.file('k.key'), ...offline);
    const config = ['--use-signing-config=false', ...offline];
    await lab.cosign('3.1', 'sign', '--key', lab.file('k.key'), ...config);
  });
  afterAll(async () => {
    for (const each of clients) each.close();
    await lab.stop();
  });

  it('gives a manifest by tag and by digest, and the blobs that it names', async () => {
    const byTag = await registry.manifest(app, 'v1', soon());
    expect(byTag?.digest).toBe(digestIn(image));
    expect(await registry.manifest(app, digestIn(image), soon())).toEqual(byTag);
    const { config } = parse(byTag?.bytes);
    expect((await registry.blob(app, config, soon()))?.length).toBe(config.size);
  });

  it.each([
    ['OCI', [], 'application/vnd.oci.image.index.v1+json'],
    ['Docker', ['--docker'], 'application/vnd.docker.distribution.manifest.list.v2+json'],
  ])('gives an index of %s and its children', async (name, options, mediaType) => {
    const repository = { ...app, repository: `team/index-${name.toLowerCase()}` };
    const platforms = ['--platform', 'linux/amd64', '--platform', 'linux/arm64/v8'];
    const pushed = await lab.image(...options, ...platforms, `${repository.repository}:v1`);
    const index = await registry.manifest(repository, 'v1', soon());
    expect(index).toMatchObject({ digest: digestIn(pushed[0] ?? ''), mediaType });
    for (const child of pushed.slice(1)) {
      const manifest = await registry.manifest(repository, digestIn(child), soon());
      expect(manifest?.digest).toBe(digestIn(child));
    }
  });

  it('has nothing where there is nothing', async () => {
    expect(await registry.manifest(app, 'absent', soon())).toBeUndefined();
    const zeros = `sha256:${'0'.repeat(64)}`;
    expect(await registry.manifest(app, zeros, soon())).toBeUndefined();
    expect(await registry.blob(app, { digest: zeros, size: 1 }, soon())).toBeUndefined();
    expect(await registry.referrers(app, zeros, soon())).toEqual([]);
    const other = { ...app, repository: 'team/absent' };
    expect(await registry.manifest(other, 'v1', soon())).toBeUndefined();
  });

  it('gives what cosign 2.5 wrote, under its tag', async () => {
    const tag = `${digestIn(image).replace(':', '-')}.sig`;
    const { layers } = parse((await registry.manifest(app, tag, soon()))?.bytes);
    const [payload] = layers;
    if (payload === undefined) throw new Error('expected a layer');
    const bytes = await registry.blob(app, payload, soon());
    expect(Buffer.from(bytes ?? []).toString()).toContain(digestIn(image));
  });

  it('gives what cosign 3.1 wrote, under the fallback tag, since it has no referrers API', async () => {
    const [referrer] = await registry.referrers(app, digestIn(image), soon());
    const manifest = await registry.manifest(app, referrer?.digest ?? '', soon());
    expect(parse(manifest?.bytes).layers).toMatchObject([{ mediaType: BUNDLE }]);
    await registry.referrers(app, digestIn(image), soon());
    const log = await readFile(lab.file('registry.log'), 'utf8');
    // The first of these tests that looked for referrers found out, and it is remembered.
    const ours = log.split('\n').filter((line) => line.includes('"image-checker"'));
    expect(ours.filter((line) => line.includes('/referrers/'))).toHaveLength(1);
  });

  it.each([
    ['without credentials', () => [], 'it wants credentials'],
    ['with a wrong password', () => [lab.file('wrong.json')], 'it does not take the credentials'],
  ])('is not read %s', async (_title, credentials, message) => {
    const wrong = Buffer.from('puller:hunter2').toString('base64');
    await writeFile(
      lab.file('wrong.json'),
      JSON.stringify({ auths: { [lab.host]: { auth: wrong } } }),
    );
    const asked = client(credentials()).manifest(app, 'v1', soon());
    await expect(asked).rejects.toMatchObject({
      code: 'registry-unavailable',
      message: expect.stringContaining(message),
    });
  });

  it('is caught when its storage was tampered with', async () => {
    const [pushed = ''] = await lab.image('--content', 'to be tampered with', 'team/tampered:v1');
    const repository = { ...app, repository: 'team/tampered' };
    const hex = digestIn(pushed).replace('sha256:', '');
    const folder = join(lab.state, 'data/docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex);
    expect(await readdir(folder)).toEqual(['data']);
    const text = await readFile(join(folder, 'data'), 'utf8');
    await writeFile(join(folder, 'data'), text.replace('"schemaVersion":2', '"schemaVersion": 2'));
    for (const reference of ['v1', digestIn(pushed)]) {
      await expect(registry.manifest(repository, reference, soon())).rejects.toMatchObject({
        code: 'registry-corrupt',
      });
    }
  });

  it('is what the commands pin from and log in at', async () => {
    const config = lab.file('config.yaml');
    const registries = {
      credentials: ['puller.json'],
      hosts: { [lab.host]: { ca: 'ca.pem' } },
    };
    const service = { tls: { certificate: 'c', key: 'k', clientCA: 'a' }, rules: 'r', registries };
    const head = { apiVersion: 'image-checker/v1', kind: 'ServiceConfig' };
    await writeFile(config, JSON.stringify({ ...head, ...service }));
    const run = (...args: readonly string[]): Promise<Called> =>
      call([...args, '--config', config]);
    const name = `${lab.host}/team/app`;
    expect(await run('pin', `${name}:v1`)).toMatchObject({
      code: 0,
      stdout: `${name}:v1@${digestIn(image)}\n`,
    });
    const login = await run('registry', 'login-check', name, '-o', 'json');
    expect(login.code).toBe(0);
    expect(JSON.parse(login.stdout)).toMatchObject({
      credentials: lab.file('puller.json'),
      login: auth === 'basic' ? 'Basic' : 'Bearer',
      scope: auth === 'basic' ? null : 'repository:team/app:pull',
    });
  });
});

describe('a real token service', () => {
  it('takes an identity token', async () => {
    const lab = await startRegistryLab('bearer');
    const [image = ''] = await lab.image('team/app:v1');
    const identitytoken = await readFile(lab.file('refresh-token'), 'utf8');
    const file = lab.file('identity.json');
    await writeFile(file, JSON.stringify({ auths: { [lab.host]: { identitytoken } } }));
    const registry = createRegistry(
      { credentials: [file], hosts: { [lab.host]: { ca: lab.file('ca.pem'), plainHttp: false } } },
      { now: Date.now, random: Math.random, env: process.env },
    );
    const app = { registry: lab.host, repository: 'team/app' };
    expect((await registry.manifest(app, 'v1', soon()))?.digest).toBe(digestIn(image));
    const log = await readFile(lab.file('token-service.log'), 'utf8');
    expect(log).toContain('POST puller repository:team/app:pull\n');
    registry.close();
    await lab.stop();
  });
});
