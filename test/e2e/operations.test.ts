import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MANIFEST, startNode } from '../support/node.ts';
import type { ControlPlaneNode } from '../support/node.ts';
import { eventually } from './eventually.ts';

/** Some commands wait for kube-apiserver to go and to come back. */
jest.setTimeout(300_000);

const read = (path: string): Promise<string> =>
  readFile(join(import.meta.dirname, '../..', path), 'utf8');

interface Block {
  readonly section: string;
  /** Its first line. */
  readonly title: string;
  readonly commands: string;
}

const page = await read('docs/operations.md');
const blocks = page
  .split(/^## /m)
  .slice(1)
  .flatMap((text): Block[] => {
    const section = text.slice(0, text.indexOf('\n'));
    return [...text.matchAll(/^( *)```sh\n([^`]*)^ *```$/gm)].map(
      ([, indent = '', commands = '']) => ({
        section,
        title: commands.trim().split('\n')[0] ?? '',
        commands: commands.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      }),
    );
  });

const ADMISSION = '/etc/kubernetes/admission';
const BASH = ['bash', '--norc', '-eo', 'pipefail', '-c'];

let node: ControlPlaneNode;
let kubeadms: string;

const isRefused = async (): Promise<boolean> => {
  const ended = await node.exec(['kubectl', 'run', 'x', '--image=nginx', '--dry-run=server']);
  return ended.code !== 0;
};

type Step = readonly [commands: RegExp, step: () => Promise<unknown>];

/** What happens to the node before a block. */
const BEFORE: readonly Step[] = [
  [
    /^install .*\nsystemctl restart/m,
    async () => {
      await node.write('/var/tmp/upgraded.yaml', kubeadms);
      await node.exec(['mv', '/var/tmp/upgraded.yaml', MANIFEST]);
      await eventually('an apiserver without the plugin', async () =>
        (await isRefused()) ? undefined : true,
      );
    },
  ],
  [
    /^image-checker doctor \|\| true$/m,
    async () => {
      await enable();
      await node.exec(['systemctl', 'stop', 'image-checker']);
      const { stderr } = await node.exec(['kubectl', 'run', 'x', '--image=docker.io/nginx']);
      expect(stderr).toContain('connect: connection refused');
    },
  ],
  [/^backup=/m, () => enable()],
  [
    // Five minutes go by.
    /^image-checker certs renew --ca\nimage-checker doctor$/m,
    async () => {
      const certificates = [
        '/etc/image-checker/server-cert.pem',
        `${ADMISSION}/apiserver-client-cert.pem`,
      ];
      await node.exec(['touch', '-d', '6 minutes ago', ...certificates]);
    },
  ],
];

async function enable(): Promise<void> {
  expect(await node.exec(['image-checker', 'enable', '--yes'])).toMatchObject({ code: 0 });
}

/** What has to hold after one. */
const AFTER: readonly Step[] = [
  [
    /^image-checker enable --yes$/m,
    async () => {
      expect(await isRefused()).toBe(true);
    },
  ],
  [
    /^image-checker disable --yes$/m,
    async () => {
      expect(await node.read(MANIFEST)).toBe(kubeadms);
      expect(await isRefused()).toBe(false);
    },
  ],
  [
    /^backup=/m,
    async () => {
      expect(await node.read(MANIFEST)).toBe(kubeadms);
    },
  ],
];

describe('docs/operations.md, block by block on one node', () => {
  beforeAll(async () => {
    // Of a version that the doctor has nothing to say against.
    const manifest = join(import.meta.dirname, '../manifest/fixtures/kubeadm-v1.31.yaml');
    node = await startNode({ manifest });
    kubeadms = await node.read(MANIFEST);
    await standIns();
  });
  afterAll(() => node.end());

  async function standIns(): Promise<void> {
    await node.exec(['mkdir', '-p', '/etc/systemd/system']);
    await node.write(
      '/var/tmp/image-checker.service',
      await read('admission/image-checker.service'),
    );
    await node.write('/usr/local/bin/systemctl', await read('test/e2e/systemctl.sh'));
    await node.exec(['ln', '-s', 'systemctl', '/usr/local/bin/journalctl']);
    const copy = 'cd /var/tmp && mv /usr/local/bin/image-checker image-checker-linux-x64 && ';
    const sum = 'sha256sum image-checker-linux-x64 >image-checker-linux-x64.sha256';
    await node.exec(['sh', '-c', `chmod +x /usr/local/bin/systemctl && ${copy}${sum}`]);
  }

  it('has commands for every stage of a life', () => {
    expect([...new Set(blocks.map(({ section }) => section))]).toEqual([
      ...['Set up', 'Enable', 'Observe', 'Change the rules', 'Rotate certificates', 'Upgrade'],
      ...['Roll back', 'The webhook is down and nothing starts'],
    ]);
  });

  it.each(blocks)('$section: $title', async ({ commands }) => {
    for (const [pattern, step] of BEFORE) if (pattern.test(commands)) await step();
    const { code, stdout, stderr } = await node.exec(
      BASH.concat(`cd /var/tmp
${commands}`),
    );
    expect([code, code === 0 ? '' : stdout + stderr]).toEqual([0, '']);
    for (const [pattern, step] of AFTER) if (pattern.test(commands)) await step();
  });
});
