import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

/** A checkout in which node and npm only say how they were called. */
let root: string;

beforeEach(async () => {
  root = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'image-checker script ')));
  for (const folder of ['checkout/scripts', 'checkout/src', 'bin', 'cwd']) {
    await fs.mkdir(join(root, folder), { recursive: true });
  }
  for (const file of [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ]) {
    await put(`checkout/${file}`);
  }
  await put('checkout/src/main.ts');
  const script = new URL('../../scripts/setup.sh', import.meta.url);
  await fs.copyFile(script, join(root, 'checkout/scripts/setup.sh'));
  await fakeNode('v20.19.0');
  await executable('npm', 'echo "npm $*: $(basename "$PWD")"');
});

afterEach(async () => {
  await fs.rm(root, { recursive: true });
});

async function put(name: string, age = 0): Promise<void> {
  const path = join(root, name);
  await fs.mkdir(join(path, '..'), { recursive: true });
  await fs.writeFile(path, '');
  const time = Date.now() / 1000 - age;
  await fs.utimes(path, time, time);
}

async function executable(name: string, body: string): Promise<void> {
  await fs.writeFile(join(root, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

async function fakeNode(version: string): Promise<void> {
  await executable(
    'node',
    `[ "$1" = --version ] && echo ${version} && exit
     echo "node in $(basename "$PWD"):"; printf '<%s>' "$@"; exit 3`,
  );
}

function runScript(script = 'checkout/scripts/setup.sh', ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(join(root, script), args, {
    cwd: join(root, 'cwd'),
    encoding: 'utf8',
    env: { PATH: `${root}/bin:/usr/bin:/bin` },
  });
  return { status, stdout, stderr };
}

async function installAndBuild(): Promise<void> {
  await put('checkout/node_modules/.package-lock.json', -10);
  await put('checkout/dist/main.js', -10);
}

const called = (...args: readonly string[]): string =>
  `node in cwd:\n${[join(root, 'checkout/dist/main.js'), 'setup', ...args].map((arg) => `<${arg}>`).join('')}`;

describe('scripts/setup.sh', () => {
  it('installs and builds in a fresh checkout, telling so on stderr alone', () => {
    const { status, stdout, stderr } = runScript();
    expect(status).toBe(3);
    expect(stdout).toBe(called());
    expect(stderr).toMatch(/npm ci --include=dev .*: checkout\n/);
    expect(stderr).toMatch(/npm run --silent build: checkout\n/);
  });

  it('runs setup at once, with its arguments, where everything is there', async () => {
    await installAndBuild();
    const args = ['--dir', 'a b', '', "it's", '*'];
    expect(runScript('checkout/scripts/setup.sh', ...args)).toEqual({
      status: 3,
      stdout: called(...args),
      stderr: '',
    });
  });

  it('builds when a source is newer than what was built', async () => {
    await installAndBuild();
    await put('checkout/src/deep/changed.ts', -20);
    const { stderr } = runScript();
    expect(stderr).toContain('npm run --silent build');
    expect(stderr).not.toContain('npm ci');
  });

  it('installs when the lock file is newer than what was installed', async () => {
    await installAndBuild();
    await put('checkout/package-lock.json', -20);
    expect(runScript().stderr).toContain('npm ci');
  });

  it('finds its checkout through links', async () => {
    await installAndBuild();
    await fs.symlink('../checkout/scripts/setup.sh', join(root, 'bin/one'));
    await fs.symlink(join(root, 'bin/one'), join(root, 'cwd/two'));
    expect(runScript('cwd/two', 'x')).toMatchObject({ stdout: called('x'), stderr: '' });
  });

  it.each(['v18.20.4', 'v20.18.3', 'v8.0.0'])('refuses Node %s', async (version) => {
    await fakeNode(version);
    const { status, stdout, stderr } = runScript();
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      `image-checker: error: expected Node 20.19 or newer, got ${version}\nimage-checker: hint: `,
    );
  });

  it.each(['v20.19.0', 'v20.20.2', 'v22.0.0', 'v24.11.1', 'v100.0.0'])(
    'takes Node %s',
    async (version) => {
      await installAndBuild();
      await fakeNode(version);
      expect(runScript().stdout).toBe(called());
    },
  );

  it('stops when the build fails', async () => {
    await executable('npm', '[ "$1" = ci ] || exit 1');
    expect(runScript()).toMatchObject({ status: 1, stdout: '' });
  });
});
