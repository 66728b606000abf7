import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MANIFEST } from '../support/node.ts';
import { ADMISSION, BACKUPS, startServedNode } from './served-node.ts';
import type { ServedNode } from './served-node.ts';

interface Fault {
  readonly title: string;
  readonly makeIt: (node: ServedNode) => Promise<unknown>;
  readonly undoIt: (node: ServedNode) => Promise<unknown>;
  readonly flags?: readonly string[];
  readonly code?: number;
  /** What is wrong, and what to do. */
  readonly message: RegExp;
  readonly hint: RegExp;
}

const FOLDER = dirname(MANIFEST);
const KEPT = '/var/tmp/kept';

/** Other texts in a file, and what was there before afterwards. */
function edited(path: string, old: string, replacement: string): Pick<Fault, 'makeIt' | 'undoIt'> {
  return {
    makeIt: async (node) => {
      await node.exec(['cp', '-p', path, KEPT]);
      await node.edit(path, old, replacement);
    },
    undoIt: (node) => node.exec(['mv', KEPT, path]),
  };
}

/** A file that is there, and is gone afterwards. */
function added(path: string, text: string): Pick<Fault, 'makeIt' | 'undoIt'> {
  return {
    makeIt: (node) => node.write(path, text),
    undoIt: (node) => node.exec(['rm', path]),
  };
}

function commands(
  makeIt: readonly string[],
  undoIt: readonly string[],
): Pick<Fault, 'makeIt' | 'undoIt'> {
  return { makeIt: (node) => node.exec(makeIt), undoIt: (node) => node.exec(undoIt) };
}

const openssl = (...args: readonly string[]): readonly string[] => [
  ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
  ...['-keyout', '/dev/null', ...args],
];

const FAULTS: readonly Fault[] = [
  {
    title: 'a service that is down',
    makeIt: (node) => node.stopService(),
    undoIt: (node) => node.startService(),
    message: /error: .*ECONNREFUSED/,
    hint: /hint: start the service first \(`systemctl status image-checker`\)/,
  },
  {
    title: 'a service whose certificate is by another CA than kube-apiserver is told',
    makeIt: async (node) => {
      await node.exec(['cp', '-p', `${ADMISSION}/external-cert.pem`, KEPT]);
      const ca = openssl('-subj', '/CN=another', '-out', `${ADMISSION}/external-cert.pem`);
      await node.exec([...ca, '-addext', 'keyUsage=critical,keyCertSign']);
    },
    undoIt: (node) => node.exec(['mv', KEPT, `${ADMISSION}/external-cert.pem`]),
    message: /error: .*by the CA of the kubeconf, got .*SELF_SIGNED.*\(live-certificate\)/,
    hint: /hint: certificate-authority of the kubeconf has to be the CA that issued/,
  },
  {
    title: 'a TTL that stops kube-apiserver',
    ...edited(`${ADMISSION}/admission_config.yaml`, 'allowTTL: 50', 'allowTTL: 3600'),
    message: /admission_config\.yaml:\d+:\d+: .*allowTTL.* got 3600.*\(image-policy-allow-ttl\)/,
    hint: /hint: kube-apiserver does not start with another/,
  },
  {
    title: 'a kubeconf at a path that is not mounted',
    ...edited(
      `${ADMISSION}/admission_config.yaml`,
      `kubeConfigFile: ${ADMISSION}/kubeconf`,
      'kubeConfigFile: /etc/image-checker/kubeconf',
    ),
    message: /error: .*\/etc\/image-checker\/kubeconf/,
    hint: /hint: ./,
  },
  {
    title: 'a kubeconf that is a link out of what is mounted',
    ...commands(
      ['sh', '-c', `mv ${ADMISSION}/kubeconf /var/tmp/ && ln -s /var/tmp/kubeconf ${ADMISSION}/`],
      ['mv', '/var/tmp/kubeconf', `${ADMISSION}/kubeconf`],
    ),
    message: /error: .*kubeconf: .*link/,
    hint: /hint: ./,
  },
  {
    title: 'a backup of the manifest that lies beside it',
    // The kubelet is to run nothing of it.
    ...added(`${MANIFEST}.bak`, 'apiVersion: v1\nkind: Pod\nmetadata: {name: kube-apiserver}\n'),
    message: /kube-apiserver\.yaml\.bak: .*copy.*\(manifest-folder-duplicates\)/,
    hint: /hint: move it out of the folder/,
  },
  {
    title: 'a service port that the kubeconf does not name',
    ...edited(`${ADMISSION}/kubeconf`, ':1234/', ':1235/'),
    message: /error: .*ECONNREFUSED/,
    hint: /hint: start the service first \(`systemctl status image-checker`\)/,
  },
  {
    title: 'the client key for everybody to read',
    ...commands(
      ['chmod', '644', `${ADMISSION}/apiserver-client-key.pem`],
      ['chmod', '600', `${ADMISSION}/apiserver-client-key.pem`],
    ),
    message: /apiserver-client-key\.pem: .*0600, got 0644/,
    hint: /hint: run: chmod 600/,
  },
  {
    title: 'rules that deny what kube-system runs',
    ...commands(
      ['kubectl', '-n', 'kube-system', 'run', 'dns', '--image=quay.io/dns'],
      ['kubectl', '-n', 'kube-system', 'delete', 'pod', 'dns', '--force'],
    ),
    flags: ['--accept-denials'],
    message: /error: kube-system\/dns would be refused: quay\.io\/dns: /,
    hint: /hint: the cluster does not work without what kube-system runs: allow it in the rules/,
  },
  {
    title: 'rules that deny what runs elsewhere',
    ...commands(
      ['kubectl', 'run', 'web', '--image=quay.io/web'],
      ['kubectl', 'delete', 'pod', 'web', '--force'],
    ),
    message: /error: default\/web would be refused: quay\.io\/web: .*trusted-registries/,
    hint: /hint: allow it in the rules; with --accept-denials it is refused from now on/,
  },
  {
    title: 'a probe that is to be refused, and that the rules allow',
    ...commands([], []),
    flags: ['--probe-deny', 'docker.io/nginx'],
    message: /error: --probe-deny: expected the rules to refuse docker\.io\/nginx, got it allowed/,
    hint: /hint: name another image, or refuse it in the rules/,
  },
  {
    title: 'a folder for backups without room; it is no obstacle once there is',
    ...commands(
      [
        'sh',
        '-c',
        `mkdir -p ${BACKUPS}; mount -t tmpfs -o size=1m none ${BACKUPS}; cat /dev/zero >${BACKUPS}/full`,
      ],
      ['rm', `${BACKUPS}/full`],
    ),
    code: 2,
    message: /error: .*lock: cannot be written: .*no space left/,
    hint: /^/,
  },
  {
    title: 'a manifests folder that is read-only',
    ...commands(
      ['sh', '-c', `mount --bind ${FOLDER} ${FOLDER} && mount -o remount,bind,ro ${FOLDER}`],
      ['umount', FOLDER],
    ),
    code: 2,
    message: /error: .*kube-apiserver\.yaml: cannot be written: .*read-only/,
    hint: /^/,
  },
  {
    title: 'a kube-apiserver that is not ready',
    ...commands(['pkill', '-STOP', '-x', 'etcd'], ['pkill', '-CONT', '-x', 'etcd']),
    message: /error: expected kube-apiserver to be ready before anything is changed, got/,
    hint: /hint: mend that first/,
  },
  {
    title: 'an admission folder that is not there',
    ...commands([], []),
    flags: ['--dir', '/etc/kubernetes/admision'],
    code: 2,
    message: /admision\/admission_config\.yaml: cannot be read/,
    hint: /hint: `image-checker setup` makes it; --dir names its folder/,
  },
  {
    title: 'a manifest that is not there',
    ...commands([], []),
    flags: ['--manifest', '/etc/kubernetes/manifests/apiserver.yaml'],
    code: 2,
    message: /apiserver\.yaml: cannot be read/,
    hint: /hint: run it on a control-plane node, as root/,
  },
];

describe('enable refuses before it touches anything', () => {
  let node: ServedNode;
  beforeAll(async () => {
    node = await startServedNode();
  });
  afterAll(() => node.end());

  it.each(FAULTS)('$title', async ({ makeIt, undoIt, flags = [], code = 1, message, hint }) => {
    const before = await node.apiserver();
    await makeIt(node);
    try {
      const ended = await node.run('enable', '--yes', ...flags);
      expect(ended.stderr).toMatch(message);
      expect(ended.stderr).toMatch(hint);
      expect(ended.code).toBe(code);
      expect(await node.read(MANIFEST)).toBe(node.manifest);
    } finally {
      await undoIt(node);
    }
    expect(await node.apiserver()).toBe(before);
    expect(await node.isReady()).toBe(true);
  });

  it('and accepts the same node once nothing is wrong with it', async () => {
    expect(await node.run('enable', '--yes')).toMatchObject({ code: 0 });
  });
});
