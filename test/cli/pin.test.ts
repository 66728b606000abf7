import { chmod, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newRegistryWorld } from '../support/registry-server.ts';
import type { RegistryWorld, TestServer } from '../support/registry-server.ts';
import { call } from './call.ts';
import type { Called } from './call.ts';
import { digestOf, registryAnswer, serviceConfig } from './registries.ts';

let world: RegistryWorld;
let server: TestServer;
let config = '';
beforeAll(async () => {
  world = await newRegistryWorld();
  server = await world.serve(registryAnswer);
  config = await serviceConfig(world, server);
});
afterAll(() => world.close());

function pin(...args: readonly string[]): Promise<Called> {
  return call(['pin', ...args, '--config', config], { cwd: world.folder });
}

const app = (tag = ''): string => `${server.host}/team/app${tag}`;
const pinned = (tag: string): string => `${app(`:${tag}`)}@${digestOf(tag)}`;
const manifest = (...images: readonly string[]): string =>
  `# mine\nkind: Pod\nspec:\n  containers:\n${images.map((image) => `    - image:   "${image}" # ${image.length}\n`).join('')}`;

describe('pin', () => {
  it('prints images with their digests', async () => {
    const done = `${app()}@sha256:${'0'.repeat(64)}`;
    expect(await pin(app(':v1'), app(), done)).toEqual({
      code: 0,
      stdout: `${pinned('v1')}\n${pinned('latest')}\n${done}\n`,
      stderr: '',
    });
  });

  it('prints JSON', async () => {
    const { stdout } = await pin(app(':v1'), '-o', 'json');
    expect(JSON.parse(stdout)).toEqual([{ image: app(':v1'), pinned: pinned('v1') }]);
  });

  it('prints a manifest with its images pinned, and leaves the file alone', async () => {
    const text = manifest(app(':v1'), app(':v2'));
    const file = await world.file('printed.yaml', text);
    const { code, stdout } = await pin('-f', 'printed.yaml');
    expect(code).toBe(0);
    expect(stdout).toBe(text.replace(app(':v1'), pinned('v1')).replace(app(':v2'), pinned('v2')));
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('writes manifests, with their rights, through symbolic links', async () => {
    const file = await world.file('written.yaml', manifest(app(':v1')));
    await chmod(file, 0o640);
    await symlink(file, join(world.folder, 'link.yaml'));
    await world.file('other.yaml', manifest(app(':v2')));
    const { code, stdout } = await pin('-f', 'link.yaml', '-f', 'other.yaml', '--write');
    expect(code).toBe(0);
    expect(stdout).toBe(`link.yaml:5: ${pinned('v1')}\nother.yaml:5: ${pinned('v2')}\n`);
    expect(await readFile(file, 'utf8')).toBe(
      manifest(app(':v1')).replace(`"${app(':v1')}"`, `"${pinned('v1')}"`),
    );
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    const again = await pin('-f', 'link.yaml', '--write', '-o', 'json');
    const image = pinned('v1');
    expect(JSON.parse(again.stdout)).toEqual([
      { file: 'link.yaml', line: 5, image, pinned: image },
    ]);
  });

  it('changes no text that says something else too, and checks it all the same', async () => {
    const text = (image: string): string =>
      `kind: Pod\nmetadata: { labels: { app: &a ${image} } }\nspec: { containers: [{ image: *a }] }\n`;
    const file = await world.file('shared.yaml', text(app(':v1')));
    const { code, stdout, stderr } = await pin('-f', 'shared.yaml', '--write');
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      `image-checker: error: shared.yaml:2: expected ${app(':v1')} to be the text of images alone, got an anchor with other uses\n` +
        'image-checker: hint: write the image out where it is used\n',
    );
    expect(await readFile(file, 'utf8')).toBe(text(app(':v1')));
    expect(await pin('-f', 'shared.yaml', '--check')).toMatchObject({ code: 1, stderr: '' });
    await world.file('shared.yaml', text(pinned('v1')));
    expect(await pin('-f', 'shared.yaml')).toMatchObject({ code: 0, stdout: text(pinned('v1')) });
  });

  it('writes nothing when one image of several files is not there', async () => {
    const file = await world.file('good.yaml', manifest(app(':v1')));
    await world.file('bad.yaml', manifest(app(':absent')));
    const { code, stdout, stderr } = await pin('-f', 'good.yaml', '-f', 'bad.yaml', '--write');
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      `image-checker: error: ${app(':absent')}: expected an image at its registry, got none\n`,
    );
    expect(await readFile(file, 'utf8')).toBe(manifest(app(':v1')));
  });

  it('with --check asks no registry', async () => {
    await world.file('checked.yaml', manifest(pinned('v1'), 'nginx', app(':v1')));
    const before = server.requests.length;
    expect(await pin('-f', 'checked.yaml', '--check')).toEqual({
      code: 1,
      stdout: `checked.yaml:6: nginx has no digest\nchecked.yaml:7: ${app(':v1')} has no digest\n`,
      stderr: '',
    });
    expect(await pin(pinned('v1'), '--check')).toEqual({ code: 0, stdout: '', stderr: '' });
    const { stdout } = await pin('nginx', '--check', '-o', 'json');
    expect(JSON.parse(stdout)).toEqual([{ image: 'nginx', pinned: false }]);
    expect(server.requests).toHaveLength(before);
  });

  it('says with every image why it cannot be pinned', async () => {
    const wrong = await serviceConfig(world, server, 'wrong');
    const images = [app(':v1'), app(':v2')];
    const { code, stderr } = await call(['pin', ...images, '--config', wrong]);
    expect(code).toBe(2);
    for (const image of images)
      expect(stderr).toContain(`error: ${image}: ${server.host}: expected 200`);
    expect(stderr).toContain('it does not take the credentials');
    expect(stderr).not.toContain('wrong');
  });

  it("takes docker's config without --config", async () => {
    const { code, stderr } = await call(['pin', 'localhost:1/team/app'], {
      env: { DOCKER_CONFIG: world.folder },
    });
    expect(code).toBe(2);
    expect(stderr).toContain('an address of this machine, which is not asked');
  });

  it.each([
    ['nothing to pin', [], 'expected images or -f, got neither'],
    ['images and a file', ['nginx', '-f', 'x.yaml'], 'expected images or -f, got both'],
    ['--write without a file', ['nginx', '--write'], 'expected -f beside --write'],
    ['--write and --check', ['-f', 'x.yaml', '--write', '--check'], 'expected --write or --check'],
    ['several files to print', ['-f', 'x.yaml', '-f', 'y.yaml'], 'expected one file to print'],
    ['a file that is not there', ['-f', 'x.yaml', '--write'], 'cannot be read: no such file'],
    ['no image', ['Nginx', '--check'], 'expected an image, got "Nginx"'],
    ['an image without a registry', ['foo_bar.com/x'], 'it names no registry'],
    [
      'the id of an image',
      ['sha256:abc', '--check'],
      'got "sha256:abc": a node may take this for the id of an image it already has, write registry/name@sha256:...',
    ],
  ])('refuses %s', async (_title, args, message) => {
    const { code, stdout, stderr } = await pin(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it.each([['to print'], ['to write', '--write'], ['to check', '--check']])(
    'refuses a manifest %s that is no UTF-8, and leaves it alone',
    async (_title, ...flags) => {
      const bytes = Buffer.from(`${manifest(app(':v1'))}# f\u00fcr\n`, 'latin1');
      const file = await world.file('latin1.yaml', '');
      await writeFile(file, bytes);
      expect(await pin('-f', 'latin1.yaml', ...flags)).toEqual({
        code: 2,
        stdout: '',
        stderr:
          'image-checker: error: latin1.yaml:6: expected UTF-8, got the byte 0xFC\n' +
          'image-checker: hint: save it as UTF-8\n',
      });
      expect(await readFile(file)).toEqual(bytes);
    },
  );

  it('refuses a kind with a slip in it and what is no object, and says what to do', async () => {
    await world.file('slip.yaml', 'apiVersion: v1\nkind: Pdo\n---\nfoo: bar\n');
    expect(await pin('-f', 'slip.yaml', '--check')).toEqual({
      code: 2,
      stdout: '',
      stderr: `image-checker: error: slip.yaml:2: expected a kind that v1 has, got "Pdo"
image-checker: hint: did you mean "Pod"?
image-checker: error: slip.yaml:4: expected a Kubernetes object, got a mapping without kind
image-checker: hint: name a manifest of Kubernetes
`,
    });
  });

  it.each([['to print'], ['to write', '--write'], ['to check', '--check']])(
    'says of every image that is none where it is, %s',
    async (_title, ...flags) => {
      await world.file('bad-images.yaml', manifest('Nginx', app(':v1'), 'sha256:abc', 'Nginx'));
      const { code, stdout, stderr } = await pin('-f', 'bad-images.yaml', ...flags);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      const expected = (line: number, image: string): string =>
        `image-checker: error: bad-images.yaml:${line}: expected an image, got "${image}": `;
      expect(stderr.trimEnd().split('\n')).toEqual([
        expect.stringContaining(expected(5, 'Nginx')),
        expect.stringContaining(expected(7, 'sha256:abc')),
        expect.stringContaining(expected(8, 'Nginx')),
      ]);
    },
  );

  it('refuses a manifest that cannot be read', async () => {
    await world.file('broken.yaml', 'kind: Pod\nspec: [');
    const { code, stderr } = await pin('-f', 'broken.yaml');
    expect(code).toBe(2);
    expect(stderr).toContain('error: broken.yaml:2: not YAML');
  });
});
