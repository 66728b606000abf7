import { chmod, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { disable } from '../../src/enable/disable.ts';
import { enable } from '../../src/enable/enable.ts';
import type { EnableFlags } from '../../src/enable/options.ts';
import { ImageCheckerError } from '../../src/errors.ts';
import { newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { startTestService } from '../support/service.ts';
import type { TestService } from '../support/service.ts';
import { FakeNode, runningPod } from './fake-node.ts';
import type { Kubelet } from './fake-node.ts';
import { worldOf } from './world.ts';
import type { World } from './world.ts';

let pki: TestPki;
let service: TestService;
let node: FakeNode;
let before: string;

beforeAll(async () => {
  pki = await newTestPki();
  service = await startTestService(pki);
});

afterAll(() => service.end());

beforeEach(async () => {
  node = await FakeNode.start(pki, service);
  node.pods = [
    runningPod('kube-system', 'coredns', 'docker.io/coredns:1'),
    runningPod('shop', 'web', 'docker.io/web:1'),
    runningPod('shop', 'web-2', 'docker.io/web:1'),
  ];
  before = await node.read('manifests/kube-apiserver.yaml');
});

afterEach(() => node.end());

function run({ options, ports }: World): ReturnType<typeof enable> {
  return enable(options, ports);
}

async function failureOf(work: Promise<unknown>): Promise<ImageCheckerError> {
  const thrown: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (thrown instanceof ImageCheckerError) return thrown;
  throw new Error(`expected a failure, got ${String(thrown)}`);
}

const manifest = (): Promise<string> => node.read('manifests/kube-apiserver.yaml');

/** Nothing is left of a run but its backups. */
async function expectTidy(): Promise<void> {
  expect(await readdir(node.path('manifests'))).toEqual(['kube-apiserver.yaml']);
  expect(await readdir(node.path('image-checker-backup'))).not.toContain('lock');
}

describe('enable', () => {
  it('edits the manifest, sees kube-apiserver restart and proves both verdicts', async () => {
    await chmod(node.manifest, 0o640);
    const world = worldOf(node);
    const { outcome, backup } = await run(world);
    expect(outcome).toBe('done');
    expect(await manifest()).toContain('NodeRestriction,ImagePolicyWebhook');
    expect(node.restarts).toBe(1);
    expect(world.messages()).toEqual(
      expect.arrayContaining([
        'kube-apiserver is ready again',
        'proven: a pod with image-checker.invalid/probe is refused',
        expect.stringMatching(/^proven: a pod with docker\.io\/\S+ is allowed$/),
      ]),
    );
    expect([world.shown, world.confirmed]).toEqual([1, 1]);
    expect((await stat(node.manifest)).mode & 0o777).toBe(0o640);
    const copy = `${backup ?? ''}/kube-apiserver.yaml`.slice(node.folder.length + 1);
    expect(copy).toMatch(/^image-checker-backup\/20261125T120000Z-before-enable\//);
    expect(await node.read(copy)).toBe(before);
    expect((await stat(node.path(copy))).mode & 0o777).toBe(0o600);
    await expectTidy();
  });

  it('changes nothing a second time, and disable gives every byte back', async () => {
    await run(worldOf(node));
    const again = worldOf(node);
    expect(await run(again)).toMatchObject({ outcome: 'unchanged' });
    expect([again.confirmed, node.restarts]).toEqual([0, 1]);
    const off = worldOf(node);
    expect(await disable(off.options, off.ports)).toMatchObject({ outcome: 'done' });
    expect(await manifest()).toBe(before);
    expect(off.messages()).toContain('proven: a pod with image-checker.invalid/probe is allowed');
    const twice = worldOf(node);
    expect(await disable(twice.options, twice.ports)).toMatchObject({ outcome: 'unchanged' });
    expect(node.restarts).toBe(2);
    await expectTidy();
  });

  it('touches nothing in a dry run', async () => {
    const world = worldOf(node, { dryRun: true });
    expect(await run(world)).toMatchObject({ outcome: 'planned' });
    expect([world.shown, world.confirmed]).toEqual([1, 0]);
    expect(await manifest()).toBe(before);
    expect(await readdir(node.folder)).not.toContain('image-checker-backup');
  });

  it('merges into an admission configuration that is in use, and out of it again', async () => {
    await mkdir(node.path('psa'));
    const psa = `apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n- name: PodSecurity # ours\n  path: x.yaml\n`;
    await writeFile(node.path('psa/config.yaml'), psa);
    await writeFile(
      node.manifest,
      before
        .replace(
          '    - --allow',
          `    - --admission-control-config-file=${node.path('psa')}/config.yaml\n    - --allow`,
        )
        .replace(
          '    volumeMounts:\n',
          `    volumeMounts:\n    - name: psa\n      mountPath: ${node.path('psa')}\n`,
        )
        .replace(
          '  volumes:\n',
          `  volumes:\n  - name: psa\n    hostPath: { path: '${node.path('psa')}' }\n`,
        ),
    );
    const edited = await manifest();
    await node.tick();
    await node.tick();
    const { backup, plan } = await run(worldOf(node));
    expect(plan.edits.map(({ file }) => file)).toEqual([
      node.path('psa/config.yaml'),
      node.manifest,
    ]);
    expect(await node.read('psa/config.yaml')).toContain('name: ImagePolicyWebhook');
    expect(await readdir(backup ?? '')).toEqual(['config.yaml', 'kube-apiserver.yaml']);
    const off = worldOf(node);
    await disable(off.options, off.ports);
    expect(await manifest()).toBe(edited);
    expect(await node.read('psa/config.yaml')).toBe(psa);
  });

  it('goes by having been down where the metrics are forbidden', async () => {
    node.metrics = false;
    expect(await run(worldOf(node))).toMatchObject({ outcome: 'done' });
  });

  it('asks about what has ended no more, and lists what is refused with --accept-denials', async () => {
    node.pods = [
      runningPod('shop', 'job', 'quay.io/old', 'Succeeded'),
      runningPod('shop', 'web', 'quay.io/web:1'),
    ];
    const world = worldOf(node, { acceptDenials: true });
    expect(await run(world)).toMatchObject({ outcome: 'done' });
    const warnings = world.messages().filter((message) => message.startsWith('warning'));
    expect(warnings).toEqual([expect.stringMatching(/^warning: shop\/web would be refused: quay/)]);
  });

  it('warns, as the doctor does, of a kube-apiserver that asks about no ephemeral containers', async () => {
    const old = before.replace(/(kube-apiserver:)v[0-9.]+/, '$1v1.26.5');
    expect(old).not.toBe(before);
    await writeFile(node.manifest, old);
    await node.tick();
    await node.tick();
    const world = worldOf(node);
    expect(await run(world)).toMatchObject({ outcome: 'done' });
    expect(world.messages()).toContainEqual(
      expect.stringMatching(/^warning: .*, got v1\.26\.5: .* \(version-cve-2023-2727\)$/),
    );
  });
});

describe('pre-flight refuses', () => {
  it.each<[string, (node: FakeNode) => unknown, string, RegExp, EnableFlags?]>([
    [
      'what the doctor finds in the texts as they are planned: a TTL that stops kube-apiserver',
      async (on) => {
        const text = await on.read('admission/admission_config.yaml');
        const wrong = text.replace('allowTTL: 50', 'allowTTL: 1801');
        await writeFile(on.path('admission/admission_config.yaml'), wrong);
      },
      'enable-refused',
      /allowTTL.*1801.*\(image-policy-allow-ttl\)/,
    ],
    [
      'a key of the client that everybody may read',
      (on) => chmod(on.path('admission/apiserver-client-key.pem'), 0o644),
      'enable-refused',
      /\(file-mode\)/,
    ],
    [
      'what kube-system runs and the rules deny, whatever is accepted',
      (on) => (on.pods = [runningPod('kube-system', 'dns', 'quay.io/dns')]),
      'enable-refused',
      /^kube-system\/dns would be refused: quay\.io\/dns: /,
      { acceptDenials: true },
    ],
    [
      'what runs anywhere and the rules deny',
      (on) => (on.pods = [1, 2, 3].map((n) => runningPod('shop', `web-${n}`, 'quay.io/web'))),
      'enable-refused',
      /^shop\/web-1 and 2 more would be refused: /,
    ],
    [
      'a probe that is to be refused, and that the rules allow',
      () => undefined,
      'enable-refused',
      /--probe-deny: expected the rules to refuse docker\.io\/web, got it allowed/,
      { probeDeny: 'docker.io/web' },
    ],
    [
      'a probe that is to be allowed, and that the rules refuse',
      () => undefined,
      'enable-refused',
      /--probe-allow: expected the rules to allow quay\.io\/web, got: quay\.io\/web: /,
      { probeAllow: 'quay.io/web' },
    ],
    [
      'a service that is down',
      async (on) => {
        const text = await on.read('admission/kubeconf');
        await writeFile(on.path('admission/kubeconf'), text.replace(/:\d+\/check/, ':1/check'));
      },
      'enable-refused',
      /expected the service to listen, got .*ECONNREFUSED.*\(live-tcp\)/,
    ],
    [
      'a service of another CA',
      (on) => writeFile(on.path('admission/external-cert.pem'), pki.otherAuthority.certificate),
      'enable-refused',
      /expected a certificate for 127\.0\.0\.1 by the CA of the kubeconf, got .*\(live-certificate\)/,
    ],
    [
      'a client certificate that is not there',
      async (on) => {
        const text = await on.read('admission/kubeconf');
        await writeFile(on.path('admission/kubeconf'), text.replace('-client-cert', '-cert'));
      },
      'enable-refused',
      /apiserver-cert\.pem.*\(kubeconf-files\)/,
    ],
    [
      'a kubeconf outside of what is mounted',
      async (on) => {
        const text = await on.read('admission/admission_config.yaml');
        const moved = text.replace(/kubeConfigFile: \S+/, 'kubeConfigFile: /srv/kubeconf');
        await writeFile(on.path('admission/admission_config.yaml'), moved);
      },
      'enable-refused',
      /mounted over \/srv\/kubeconf, got none/,
    ],
    [
      'a kube-apiserver that is not ready',
      (on) => {
        on.goDown();
      },
      'enable-refused',
      /expected kube-apiserver to be ready before anything is changed, got down/,
    ],
    [
      'a kubeconfig that is not there',
      () => undefined,
      'file-unreadable',
      /other\.conf: cannot be read/,
      { kubeconfig: 'other.conf' },
    ],
    [
      'a folder without what setup makes',
      () => undefined,
      'file-unreadable',
      /nowhere\/admission_config\.yaml: cannot be read/,
      { dir: 'nowhere' },
    ],
  ])('%s', async (_title, breakIt, ...[code, message, flags = {}]) => {
    await breakIt(node);
    const world = worldOf(node, flags);
    const failure = await failureOf(run(world));
    expect(failure.message).toMatch(message);
    expect(failure.code).toBe(code);
    expect([world.confirmed, node.restarts]).toEqual([0, 0]);
    expect(await manifest()).toBe(before);
    await expectTidy();
  });

  it('a manifest that is no UTF-8, of which a byte would be lost', async () => {
    const bytes = Buffer.from(`${before}# f\u00fcr\n`, 'latin1');
    await writeFile(node.manifest, bytes);
    const failure = await failureOf(run(worldOf(node, {})));
    expect(failure.message).toMatch(/kube-apiserver\.yaml:\d+: expected UTF-8, got the byte 0xFC$/);
    expect(await readFile(node.manifest)).toEqual(bytes);
    await expectTidy();
  });

  it('a second run at the same time', async () => {
    const first = worldOf(node);
    const second = worldOf(node);
    let refused: ImageCheckerError | undefined;
    const ports = {
      ...first.ports,
      confirm: async (): Promise<void> => {
        refused = await failureOf(run(second));
      },
    };
    await enable(first.options, ports);
    expect(refused?.code).toBe('enable-refused');
    expect(refused?.message).toMatch(/expected no other run of enable or disable/);
  });

  it('nothing because of a lock whose process is gone', async () => {
    await mkdir(node.path('image-checker-backup'));
    await writeFile(node.path('image-checker-backup/lock'), '4000000 1');
    expect(await run(worldOf(node))).toMatchObject({ outcome: 'done' });
  });
});

describe('enable rolls back', () => {
  it.each<[string, Kubelet, RegExp]>([
    [
      'when the kubelet does not act',
      'dead',
      /expected the kubelet to restart kube-apiserver, got the same process after 60 s/,
    ],
    [
      'when kube-apiserver does not start, and says what its log said',
      'crash',
      /ready within 60 s of the enable, got: .*\n.*kube-apiserver said: E1125 .*"command failed"/,
    ],
    [
      'when kube-apiserver does not ask the service',
      'deaf',
      /expected a pod with image-checker\.invalid\/probe to be refused by kube-apiserver, got: it was accepted/,
    ],
  ])('%s', async (_title, kubelet, message) => {
    node.kubelet = kubelet;
    const failure = await failureOf(run(worldOf(node)));
    expect(failure.code).toBe('enable-failed');
    expect(failure.message).toMatch(message);
    expect(failure.message).toMatch(
      /rolled back: the files are as they were, and kube-apiserver is healthy$/,
    );
    expect(await manifest()).toBe(before);
    expect(await readdir(node.path('image-checker-backup'))).not.toContain('enabled.json');
    await expectTidy();
  });

  it('by doing nothing where the first write failed', async () => {
    const world = worldOf(node);
    const breakIt: typeof world.ports.confirm = async () => {
      await rm(node.path('manifests/kube-apiserver.yaml'));
      await mkdir(node.path('elsewhere'));
      await writeFile(node.path('elsewhere/kube-apiserver.yaml'), `${before}# newer\n`);
      await rename(node.path('elsewhere/kube-apiserver.yaml'), node.manifest);
    };
    const failure = await failureOf(enable(world.options, { ...world.ports, confirm: breakIt }));
    expect(failure.message).toContain('expected the file as it was when the plan was made');
    expect(failure.message).not.toContain('rolled back');
    expect(world.messages()).not.toContain('rolling back');
    expect(await manifest()).toBe(`${before}# newer\n`);
  });

  it.each(['before the kubelet acts', 'while kube-apiserver is down'])(
    'on a signal %s',
    async (moment) => {
      const world = worldOf(node);
      const interrupt = (): void => {
        world.interrupt(
          new ImageCheckerError('enable-failed', { message: 'interrupted by SIGINT' }),
        );
      };
      if (moment === 'while kube-apiserver is down') node.onChange = interrupt;
      const report: typeof world.ports.report = (said) => {
        if (moment === 'before the kubelet acts' && said.kind === 'wait') interrupt();
      };
      const failure = await failureOf(enable(world.options, { ...world.ports, report }));
      expect(failure.message).toMatch(/^interrupted by SIGINT\n(?:.*\n)*rolled back: /);
      expect(failure.code).toBe('enable-failed');
      expect(await manifest()).toBe(before);
      await expectTidy();
    },
  );

  it('without taking back what somebody wrote in the meantime, and says the commands', async () => {
    node.kubelet = 'dead';
    const world = worldOf(node);
    const sleep: typeof world.ports.sleep = async (milliseconds, signal) => {
      await writeFile(node.manifest, `${before}# mine\n`);
      await world.ports.sleep(milliseconds, signal);
    };
    const failure = await failureOf(enable(world.options, { ...world.ports, sleep }));
    expect(failure.message).toContain('not put back: somebody has edited it in the meantime');
    expect(failure.problems.at(-1)?.hint).toMatch(
      /^put it back by hand: install -m 600 -o \d+ -g \d+ \S+\/kube-apiserver\.yaml \S+\/\.kube-apiserver\.yaml\.new && mv \S+ \S+\/kube-apiserver\.yaml$/,
    );
    expect(await manifest()).toBe(`${before}# mine\n`);
  });
});

describe('disable', () => {
  it('keeps what was edited since, and takes ours out', async () => {
    await run(worldOf(node));
    await writeFile(
      node.manifest,
      (await manifest()).replace('NodeRestriction', 'NodeRestriction,X'),
    );
    await node.tick();
    await node.tick();
    const off = worldOf(node);
    await disable(off.options, off.ports);
    expect(await manifest()).toBe(before.replace('NodeRestriction', 'NodeRestriction,X'));
  });

  it('rolls back when the kubelet does not act', async () => {
    await run(worldOf(node));
    const enabled = await manifest();
    node.kubelet = 'dead';
    const off = worldOf(node);
    const failure = await failureOf(disable(off.options, off.ports));
    expect(failure.code).toBe('enable-failed');
    expect(await manifest()).toBe(enabled);
    expect(await readdir(node.path('image-checker-backup'))).toContain('enabled.json');
  });

  it('helps a kube-apiserver that is down', async () => {
    await run(worldOf(node));
    node.goDown();
    node.kubelet = 'crash';
    const off = worldOf(node);
    expect(await disable(off.options, off.ports)).toMatchObject({ outcome: 'done' });
    expect(await manifest()).toBe(before);
  });
});
