import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import { FakeNode, runningPod } from '../enable/fake-node.ts';
import { newTestPki } from '../support/certificates.ts';
import { startTestService } from '../support/service.ts';
import type { TestService } from '../support/service.ts';
import { call } from './call.ts';
import type { Called } from './call.ts';

let service: TestService;
let node: FakeNode;

beforeAll(async () => {
  const pki = await newTestPki();
  service = await startTestService(pki);
  node = await FakeNode.start(pki, service);
});

afterAll(async () => {
  await node.end();
  await service.end();
});

const ON_NODE = ['--manifest', 'manifests/kube-apiserver.yaml', '--dir', 'admission'];

function run(command: string, ...args: string[]): Promise<Called> {
  return call([command, ...ON_NODE, '--kubeconfig', 'admin.conf', ...args], { cwd: node.folder });
}

describe('image-checker enable', () => {
  it('shows the diff in a dry run and ends with 0', async () => {
    const { code, stdout } = await run('enable', '--dry-run');
    expect(code).toBe(EXIT.ok);
    expect(stdout).toContain(`--- ${node.manifest}\n+++ ${node.manifest}\n@@ `);
    expect(stdout).toContain(
      '+    - --enable-admission-plugins=NodeRestriction,ImagePolicyWebhook\n',
    );
    expect(stdout).toMatch(/\ndry run: nothing was touched\n/);
  });

  it('tells programs what it would do, and the reader beside', async () => {
    const { code, stdout, stderr } = await run('enable', '--dry-run', '-o', 'json');
    expect([code, JSON.parse(stdout)]).toEqual([
      EXIT.ok,
      {
        outcome: 'planned',
        restarts: true,
        changes: expect.arrayContaining([expect.stringContaining('ImagePolicyWebhook')]),
        files: [
          {
            path: node.manifest,
            diff: expect.stringContaining(
              '+    - --enable-admission-plugins=NodeRestriction,ImagePolicyWebhook\n',
            ),
          },
        ],
        backup: null,
      },
    ]);
    expect(stderr).toContain(`--- ${node.manifest}\n+++ ${node.manifest}\n@@ `);
  });

  it.each<[string, string[], number, RegExp]>([
    [
      'is not confirmed and there is nobody to ask',
      [],
      EXIT.usage,
      /expected somebody to confirm it, got no terminal\nimage-checker: hint: say --yes/,
    ],
    ['is given no time', ['--timeout', '0s'], EXIT.usage, /--timeout: expected a time such as 90s/],
    ['is given nonsense', ['--timeout', '3 m'], EXIT.usage, /--timeout: expected a time/],
    [
      'names a hidden file',
      ['--manifest', 'x/.a.yaml'],
      EXIT.usage,
      /a file that the kubelet reads/,
    ],
    ['names no file', ['--manifest', 'x/a.yaml'], EXIT.usage, /x\/a\.yaml: cannot be read/],
    ['is given an unknown option', ['--force'], EXIT.usage, /unknown option '--force'/],
  ])('ends with 2 when it %s', async (_title, args, code, message) => {
    const before = await node.read('manifests/kube-apiserver.yaml');
    const called = await run('enable', ...args);
    expect([called.code, called.stderr]).toEqual([code, expect.stringMatching(message)]);
    expect(await node.read('manifests/kube-apiserver.yaml')).toBe(before);
  });

  it('ends with 1 when pre-flight finds what would be refused', async () => {
    node.pods = [runningPod('shop', 'web', 'quay.io/web:1')];
    const { code, stdout, stderr } = await run('enable', '--yes');
    node.pods = [];
    expect([code, stdout]).toEqual([EXIT.finding, '']);
    expect(stderr).toMatch(
      /error: shop\/web would be refused: quay\.io\/web:1: .*not trusted image!/,
    );
    expect(stderr).toContain('hint: allow it in the rules; with --accept-denials');
  });
});

describe('image-checker disable', () => {
  it('says that there is nothing to undo', async () => {
    const { code, stdout } = await run('disable', '--yes');
    expect([code, stdout]).toEqual([EXIT.ok, 'the plugin is not switched on: nothing to undo\n']);
  });

  it('says so to programs', async () => {
    const { code, stdout } = await run('disable', '--yes', '-o', 'json');
    const nothing = { outcome: 'unchanged', restarts: false, changes: [], files: [], backup: null };
    expect([code, JSON.parse(stdout)]).toEqual([EXIT.ok, nothing]);
  });
});
