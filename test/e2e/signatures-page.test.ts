import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { script, startLab } from '../support/lab.ts';
import type { Lab } from '../support/lab.ts';
import { startRegistryLab } from '../support/registry-lab.ts';
import type { RegistryLab } from '../support/registry-lab.ts';
import { configurationIn } from './admission-folder.ts';
import { serve, setUp } from './built-service.ts';
import type { BuiltService, Installation } from './built-service.ts';
import { eventually } from './eventually.ts';

/*
 * docs/signatures.md, run as it stands: real cosign, a real registry with a password, a real
 * kube-apiserver. Only the names of the registry and of the service's folder are others.
 */

const ROOT = join(import.meta.dirname, '../..');
const TIME_LIMIT = 120_000;

describe.each(['2.5', '3.1'] as const)('docs/signatures.md with cosign %s', (version) => {
  let registry: RegistryLab;
  let lab: Lab;
  let service: BuiltService;
  let installation: Installation;
  let folder = '';
  let blocks: readonly string[] = [];

  beforeAll(async () => {
    registry = await startRegistryLab('basic');
    folder = await mkdtemp(join(tmpdir(), 'image-checker-page-'));
    installation = await setUp(folder);
    await addRegistry(installation, registry);
    service = await serve(installation);
    lab = await startLab(configurationIn(installation.admissionFolder));
    await registry.image('--content', 'signed', 'team/app:v1');
    await registry.image('--content', 'unsigned', 'team/unsigned:v1');
    blocks = await readBlocks();
    await writePrograms();
  });

  afterAll(async () => {
    await service.stop();
    await Promise.all([registry.stop(), lab.stop()]);
    await rm(folder, { recursive: true, force: true });
  });

  async function readBlocks(): Promise<readonly string[]> {
    const page = (await readFile(join(ROOT, 'docs/signatures.md'), 'utf8'))
      .replaceAll('registry.example.com', registry.host)
      .replaceAll('/etc/image-checker', installation.serviceFolder)
      .replace('--tlog-upload=false', `--tlog-upload=false ${FLAGS[version]}`);
    return Array.from(page.matchAll(/```sh\n([^`]*)```/g), ([, block = '']) => block);
  }

  async function writePrograms(): Promise<void> {
    const kubectl = join(await script('install.sh', []), 'kubectl');
    const cosign = join(ROOT, 'scripts/lab/registry/cosign.sh');
    const programs = {
      'image-checker': `'${process.execPath}' '${join(ROOT, 'dist/main.js')}'`,
      kubectl: `'${kubectl}' --kubeconfig '${lab.kubeconfig}'`,
      cosign: `'${cosign}' --state '${registry.state}' ${version}`,
    };
    await mkdir(join(folder, 'bin'));
    for (const [name, command] of Object.entries(programs)) {
      await writeFile(join(folder, 'bin', name), `#!/bin/sh\nexec ${command} "$@"\n`);
      await chmod(join(folder, 'bin', name), 0o700);
    }
  }

  /** What a shell says to these lines, which knows what the lines before have set. */
  async function runLines(
    lines: string,
  ): Promise<{ stdout: string; stderr: string; code: number }> {
    const known = join(folder, 'variables');
    const text = `. ${known} 2>/dev/null || true\nset -e\n${lines}\ndeclare -p image unsigned > ${known} 2>/dev/null || true`;
    const PATH = `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`;
    const options = { cwd: folder, timeout: TIME_LIMIT, env: { ...process.env, PATH } };
    try {
      const { stdout, stderr } = await promisify(execFile)('bash', ['-c', text], options);
      return { stdout, stderr, code: 0 };
    } catch (thrown) {
      const { stdout, stderr, code } = thrown as { stdout: string; stderr: string; code: number };
      return { stdout, stderr, code };
    }
  }

  it('takes ten commands', () => {
    expect(blocks).toHaveLength(3);
    const commands = blocks
      .slice(0, 2)
      .join('')
      .replace(/<<'END'[^]*?\nEND\n/, '\n');
    expect(commands.trim().split('\n')).toHaveLength(10);
  });

  it('signs an image, and has rules that ask for it', async () => {
    const { code, stdout, stderr } = await runLines(blocks[0] ?? '');
    expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
    expect(stdout).toContain('valid');
    await eventually('a reload of the rules', () =>
      service.log.find(({ message }) => message === 'rules reloaded'),
    );
  });

  it('creates the pod of the signed image and refuses the unsigned one', async () => {
    const { code, stdout, stderr } = await runLines(blocks[1] ?? '');
    expect(stdout).toBe('pod/signed created\n');
    expect(code).toBe(1);
    const name = new RegExp(`${registry.host}/team/unsigned:v1@sha256:[0-9a-f]{64}`);
    expect(stderr).toContain('Error from server (Forbidden): pods "unsigned" is forbidden: ');
    expect(stderr).toMatch(name);
    expect(stderr).toContain(': expected a signature by cosign.pub, got none (rule signed-by-us)');
  });

  it('shows who signed, and that it counts', async () => {
    const { code, stdout } = await runLines(blocks[2] ?? '');
    expect(stdout).toMatch(/ {2}counts {7}.*: by cosign\.pub \(key SHA-256 [0-9a-f]{64}\)/);
    expect(code).toBe(0);
  });

  it('refuses the signed image by its tag alone, and an image that the registry does not have', async () => {
    const byTag = await runLines(`kubectl run by-tag --image=${registry.host}/team/app:v1`);
    expect(byTag.stderr).toContain('(rule signed-by-us)');
    const digest = `sha256:${'0'.repeat(64)}`;
    const absent = await runLines(`kubectl run absent --image=${registry.host}/team/app@${digest}`);
    expect(absent.stderr).toContain('is forbidden: ');
    expect([byTag.code, absent.code]).toEqual([1, 1]);
  });

  it('refuses the image once another key is in the file that the rules name', async () => {
    const before = service.log.filter(({ message }) => message === 'rules reloaded').length;
    const other = 'cosign generate-key-pair --output-key-prefix other';
    const { code } = await runLines(
      `${other} && cp other.pub ${installation.serviceFolder}/cosign.pub`,
    );
    expect(code).toBe(0);
    await eventually(
      'a reload of the rules',
      () => service.log.filter(({ message }) => message === 'rules reloaded')[before],
    );
    // Under another name, since the plugin remembers its answers.
    const { stderr } = await runLines(
      'kubectl run again --image="$image" --annotations=run.image-policy.k8s.io/x=2',
    );
    expect(stderr).toContain('got none; 1 do not count: by no trusted key (rule signed-by-us)');
  });
});

const FLAGS = { '2.5': '', '3.1': '--use-signing-config=false' } as const;

/** The service reaches the registry by a password, and trusts its authority. */
async function addRegistry({ serviceFolder }: Installation, registry: RegistryLab): Promise<void> {
  const file = join(serviceFolder, 'config.yaml');
  const registries = {
    credentials: [registry.file('puller.json')],
    hosts: { [registry.host]: { ca: registry.file('ca.pem') } },
  };
  const text = await readFile(file, 'utf8');
  await writeFile(file, `${text}\nregistries: ${JSON.stringify(registries)}\n`);
}
