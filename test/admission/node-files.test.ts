import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { DEFAULT_SERVICE_FOLDER, TARGETS } from '../../src/setup/layout.ts';
import { DEFAULT_ADMIN_PORT } from '../../src/setup/options.ts';

const read = (name: string): string =>
  readFileSync(new URL(`../../admission/${name}`, import.meta.url), 'utf8');

const config = join(DEFAULT_SERVICE_FOLDER, TARGETS.serviceConfig.name);

describe('the static pod', () => {
  const documents = parseAllDocuments(read('image-checker.pod.yaml'));
  const pod: unknown = documents[0]?.toJS();

  it('is one document without aliases, which some readers of manifests do not take', () => {
    expect(documents).toHaveLength(1);
    expect(read('image-checker.pod.yaml')).not.toMatch(/[&*]\w+$/m);
  });

  it('is a pod of the host, started first and evicted last', () => {
    expect(pod).toMatchObject({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'image-checker', namespace: 'kube-system' },
      spec: {
        hostNetwork: true,
        priorityClassName: 'system-node-critical',
        restartPolicy: 'Always',
        automountServiceAccountToken: false,
      },
    });
  });

  it('has no privilege, and a number for a user, which the kubelet can check', () => {
    expect(pod).toMatchObject({
      spec: {
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 65532,
          runAsGroup: 65532,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            securityContext: {
              allowPrivilegeEscalation: false,
              privileged: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
          },
        ],
      },
    });
  });

  it('reads the folder that setup makes, and is probed where the service listens', () => {
    const at = (path: string) => ({
      httpGet: { host: '127.0.0.1', port: DEFAULT_ADMIN_PORT, path },
    });
    expect(pod).toMatchObject({
      spec: {
        containers: [
          {
            args: ['serve', '--config', config],
            startupProbe: at('/healthz'),
            livenessProbe: at('/healthz'),
            readinessProbe: at('/readyz'),
            volumeMounts: [{ name: 'config', mountPath: DEFAULT_SERVICE_FOLDER, readOnly: true }],
          },
        ],
        volumes: [
          { name: 'config', hostPath: { path: DEFAULT_SERVICE_FOLDER, type: 'Directory' } },
        ],
      },
    });
  });

  it('has the user of the image', () => {
    const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
    expect(dockerfile).toContain('USER 65532:65532');
  });

  it('has no key that a pod does not know', () => {
    const known = {
      pod: ['apiVersion', 'kind', 'metadata', 'spec'],
      spec: [
        ...['automountServiceAccountToken', 'containers', 'dnsPolicy', 'enableServiceLinks'],
        ...['hostNetwork', 'priorityClassName', 'restartPolicy', 'securityContext'],
        ...['terminationGracePeriodSeconds', 'volumes'],
      ],
      container: [
        ...['args', 'image', 'imagePullPolicy', 'livenessProbe', 'name', 'readinessProbe'],
        ...['resources', 'securityContext', 'startupProbe', 'volumeMounts'],
      ],
    };
    const { spec } = pod as { spec: { containers: [object] } };
    expect(Object.keys(pod as object)).toEqual(known.pod);
    expect(Object.keys(spec).sort()).toEqual(known.spec);
    expect(Object.keys(spec.containers[0]).sort()).toEqual(known.container);
  });
});

describe('the systemd unit', () => {
  const unit = read('image-checker.service');
  const folder = mkdtempSync(join(tmpdir(), 'image-checker-unit-'));
  const file = join(folder, 'image-checker.service');
  // The executable is not there where the tests run.
  writeFileSync(file, unit.replace('/usr/local/bin/image-checker', '/bin/true'));

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const analyze = (...args: readonly string[]) => {
    const ended = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    if (ended.error !== undefined) throw new Error('expected systemd-analyze: install systemd');
    return ended;
  };

  it('serves what setup makes, as a user of its own', () => {
    expect(unit).toContain(`ExecStart=/usr/local/bin/image-checker serve --config ${config}\n`);
    expect(unit).toContain('User=image-checker\n');
  });

  it('sets no key twice but the filter, which adds up', () => {
    const keys = [...unit.matchAll(/^(\w+)=/gm)].map(([, key]) => key);
    const twice = keys.filter((key, index) => keys.indexOf(key) !== index);
    expect(twice).toEqual(['SystemCallFilter']);
  });

  it('is verified by systemd-analyze without a word', () => {
    const { status, stdout, stderr } = analyze('verify', file);
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });

  it('is rated at 1.1 or better by systemd-analyze security', () => {
    const { status, stdout } = analyze('security', '--offline=true', '--threshold=11', file);
    expect([status, stdout]).toEqual([0, expect.stringContaining('Overall exposure level')]);
  });
});
