import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { script, startLab } from '../support/lab.ts';
import type { Lab } from '../support/lab.ts';
import { startRegistryLab } from '../support/registry-lab.ts';
import type { RegistryLab } from '../support/registry-lab.ts';

/*
 * docs/registries.md, run as it stands against a real registry and a real kube-apiserver: only the
 * name of the registry is another one.
 */

const MAIN = join(import.meta.dirname, '../../dist/main.js');
const PAGE = join(import.meta.dirname, '../../docs/registries.md');
const TIME_LIMIT = 120_000;
const NAME = 'registry.example.com';

let registry: RegistryLab;
let lab: Lab;
let folder = '';
let image = '';
let blocks: readonly string[] = [];

beforeAll(async () => {
  [registry, lab] = await Promise.all([startRegistryLab('bearer'), startLab()]);
  folder = await mkdtemp(join(tmpdir(), 'image-checker-page-'));
  [image = ''] = await registry.image('team/app:v1');
  const page = (await readFile(PAGE, 'utf8')).replaceAll(NAME, registry.host);
  blocks = Array.from(page.matchAll(/```sh\n([^`]*)```/g), ([, block = '']) => block);
  await writeFile(join(folder, 'deployment.yaml'), deployment(`${registry.host}/team/app:v1`));
  await writeFile(join(folder, 'config.yaml'), config());
  await program('image-checker', `exec '${process.execPath}' '${MAIN}' "$@"`);
  const kubectl = join(await script('install.sh', []), 'kubectl');
  await program('kubectl', `exec '${kubectl}' --kubeconfig '${lab.kubeconfig}' "$@"`);
  await lab.kubectl(['create', 'namespace', 'shop']);
  // There is no controller that would make it.
  await lab.kubectl(['create', 'serviceaccount', 'default', '-n', 'shop']);
});
afterAll(async () => {
  await Promise.all([registry.stop(), lab.stop()]);
  await rm(folder, { recursive: true });
});

async function program(name: string, command: string): Promise<void> {
  await mkdir(join(folder, 'bin'), { recursive: true });
  await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${command}\n`);
  await chmod(join(folder, 'bin', name), 0o700);
}

function deployment(name: string): string {
  return `# the shop
kind: Deployment
apiVersion: apps/v1
metadata: { name: shop }
spec:
  template:
    spec:
      containers:
        - name: app # the only one
          image: '${name}'
`;
}

function config(): string {
  const hosts = { [registry.host]: { ca: registry.file('ca.pem') } };
  return JSON.stringify({
    ...{ apiVersion: 'image-checker/v1', kind: 'ServiceConfig', rules: 'r' },
    tls: { certificate: 'c', key: 'k', clientCA: 'a' },
    registries: { credentials: [registry.file('puller.json')], hosts },
  });
}

/** Runs the block of the page that holds this text, and returns what it wrote. */
async function runBlock(text: string): Promise<string> {
  const [block, ...others] = blocks.filter((each) => each.includes(text));
  if (block === undefined || others.length > 0) throw new Error(`expected one block with ${text}`);
  return runShell(block);
}

async function runShell(commands: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commands], {
    cwd: folder,
    timeout: TIME_LIMIT,
    env: {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
      DOCKER_CONFIG: registry.file('docker'),
    },
  });
  return stdout;
}

interface ServiceAccount {
  readonly imagePullSecrets?: readonly { readonly name: string }[];
}

async function get<T>(...what: readonly string[]): Promise<T> {
  const { stdout } = await lab.kubectl(['get', ...what, '-n', 'shop', '-o', 'json']);
  return JSON.parse(stdout) as T;
}

async function pullSecrets(): Promise<readonly string[]> {
  const account = await get<ServiceAccount>('serviceaccount', 'default');
  return (account.imagePullSecrets ?? []).map(({ name }) => name).sort();
}

async function replacePullSecrets(name: string): Promise<void> {
  const patch = JSON.stringify({ imagePullSecrets: [{ name }] });
  const account = ['serviceaccount', 'default', '-n', 'shop'];
  await lab.kubectl(['patch', ...account, '--type', 'merge', '-p', patch]);
}

describe('docs/registries.md', () => {
  it('logs in at the registry', async () => {
    const printed = await runBlock('login-check');
    expect(printed.match(/^result {7}works$/gm)).toHaveLength(2);
    expect(printed).toContain('scope        repository:team/app:pull\n');
  });

  it('makes a Secret that kubectl takes', async () => {
    await runBlock('> pull-secret.yaml');
    const file = join(folder, 'pull-secret.yaml');
    expect(await lab.kubectl(['apply', '--dry-run=server', '-f', file])).toMatchObject({
      code: 0,
      stdout: 'secret/image-pull created (server dry run)\n',
    });
  });

  it('prints a command that adds the Secret to what a service account has, once', async () => {
    const text = await readFile(join(folder, 'pull-secret.yaml'), 'utf8');
    const [command = ''] = /kubectl patch .*/.exec(text) ?? [];
    expect(await runShell(command)).toBe('serviceaccount/default patched\n');
    expect(await pullSecrets()).toEqual(['image-pull']);
    await replacePullSecrets('of-somebody-else');
    expect(await runShell(command)).toBe('serviceaccount/default patched\n');
    expect(await runShell(command)).toBe('serviceaccount/default patched (no change)\n');
    expect(await pullSecrets()).toEqual(['image-pull', 'of-somebody-else']);
  });

  it('gives the cluster a Secret that can pull, and does it again without a change', async () => {
    await replacePullSecrets('of-somebody-else');
    expect(await runBlock('--apply')).toContain('serviceaccount/default patched\n');
    const made = await get<{ metadata: { resourceVersion: string } }>('secret', 'image-pull');
    expect(await runBlock('--apply')).toContain('serviceaccount/default unchanged\n');
    const secret = await get<{
      readonly type: string;
      readonly data: Record<string, string>;
      readonly metadata: { readonly annotations?: object; readonly resourceVersion: string };
    }>('secret', 'image-pull');
    expect(secret.type).toBe('kubernetes.io/dockerconfigjson');
    expect(secret.metadata.annotations).toBeUndefined();
    expect(secret.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    expect(await pullSecrets()).toEqual(['image-pull', 'of-somebody-else']);
    expect(await pullWith(secret.data['.dockerconfigjson'] ?? '')).toBe(digestOf(image));
  });

  it('pins, and finds nothing more to pin', async () => {
    const written = `${registry.host}/team/app:v1`;
    const printed = await runBlock('image-checker pin');
    const pinned = `${written}@${digestOf(image)}`;
    expect(printed).toBe(`${pinned}\ndeployment.yaml:10: ${pinned}\n`);
    for (const file of ['pinned.yaml', 'deployment.yaml']) {
      expect(await readFile(join(folder, file), 'utf8')).toBe(deployment(pinned));
    }
  });

  it('was run whole', () => {
    expect(blocks).toHaveLength(4);
  });
});

function digestOf(name: string): string {
  return name.slice(name.indexOf('@') + 1);
}

/** Pulls with what a kubelet would find in the Secret. */
async function pullWith(encoded: string): Promise<string | undefined> {
  const file = join(folder, 'from-the-cluster.json');
  await writeFile(file, Buffer.from(encoded, 'base64'));
  const client = createRegistry(
    {
      credentials: [file],
      hosts: { [registry.host]: { ca: registry.file('ca.pem'), plainHttp: false } },
    },
    { now: Date.now, random: Math.random, env: {} },
  );
  const name = { registry: registry.host, repository: 'team/app' };
  const manifest = await client.manifest(name, 'v1', AbortSignal.timeout(TIME_LIMIT));
  client.close();
  return manifest?.digest;
}
