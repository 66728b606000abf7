import { describe, expect, it } from '@jest/globals';
import type { FoundPod } from '../../src/scan/pod.ts';
import { nameOf } from '../../src/scan/pod.ts';
import { readWorkloads } from '../../src/scan/workload.ts';

interface Visited {
  readonly pods: FoundPod[];
  readonly skipped: string[];
  readonly invalid: string[];
  readonly unknown: string[];
}

function visit(value: unknown, list: { kind?: string; apiVersion?: string } = {}): Visited {
  const visited: Visited = { pods: [], skipped: [], invalid: [], unknown: [] };
  const found = { value, kind: list.kind, apiVersion: list.apiVersion, locate: () => ({}) };
  readWorkloads(found, {
    pod: (pod) => visited.pods.push(pod),
    skipped: (kind) => visited.skipped.push(kind),
    invalid: (message, path) => visited.invalid.push(`${message} at ${nameOf(path)}`),
    foreign: (message, _path, hint) => visited.unknown.push(`${message} (${hint})`),
    misspelt: (message, _path, hint) => visited.unknown.push(`${message} (${hint})`),
  });
  return visited;
}

const pod = (spec: unknown, metadata: unknown = {}): object => ({ metadata, spec });
const SPEC = { containers: [{ name: 'a', image: 'nginx' }] };

const WORKLOADS: readonly [string, string, object, string][] = [
  ['v1', 'Pod', pod(SPEC), 'spec.'],
  ['v1', 'PodTemplate', { template: pod(SPEC) }, 'template.spec.'],
  ...[
    ['v1', 'ReplicationController'],
    ['apps/v1', 'ReplicaSet'],
    ['apps/v1', 'Deployment'],
    ['extensions/v1beta1', 'Deployment'],
    ['apps/v1', 'StatefulSet'],
    ['apps/v1', 'DaemonSet'],
    ['batch/v1', 'Job'],
  ].map(([apiVersion = '', kind = '']): [string, string, object, string] => [
    apiVersion,
    kind,
    { spec: { template: pod(SPEC) } },
    'spec.template.spec.',
  ]),
  [
    'batch/v1',
    'CronJob',
    { spec: { jobTemplate: { spec: { template: pod(SPEC) } } } },
    'spec.jobTemplate.spec.template.spec.',
  ],
];

describe('workloads', () => {
  it('finds the pod of what has items too, and those of its items', () => {
    const items = [pod({ containers: [{ image: 'b' }] }), { kind: 'Service', apiVersion: 'v1' }];
    const { pods, skipped } = visit({ ...pod(SPEC), apiVersion: 'v1', kind: 'Pod', items });
    expect(pods.map(({ images }) => images[0]?.image).sort()).toEqual(['b', 'nginx']);
    expect(skipped).toEqual(['Service']);
  });

  it.each(WORKLOADS)('finds the pod of a %s %s', (apiVersion, kind, body, prefix) => {
    const { pods, skipped, invalid, unknown } = visit({
      metadata: { name: 'x' },
      ...body,
      apiVersion,
      kind,
    });
    expect([skipped, invalid, unknown]).toEqual([[], [], []]);
    expect(pods).toMatchObject([{ kind, images: [{ image: 'nginx', sent: true }] }]);
    expect(pods.map(({ specPath }) => `${nameOf(specPath)}.`)).toEqual([prefix]);
    expect(pods.flatMap(({ images }) => images.map(({ path }) => nameOf(path)))).toEqual([
      `${prefix}containers[0].image`,
    ]);
  });

  it('finds images in the order in which the plugin sends them, and image volumes last', () => {
    const spec = {
      volumes: [
        { name: 'v', image: { reference: 'volume' } },
        { name: 'w', emptyDir: {} },
        { name: 'x', image: {} },
      ],
      ephemeralContainers: [{ image: 'ephemeral' }],
      initContainers: [{ image: 'init' }, { image: 'sidecar', restartPolicy: 'Always' }],
      containers: [{ image: 'main' }],
    };
    const images = visit({ kind: 'Pod', spec }).pods[0]?.images ?? [];
    expect(images.map(({ path, image, sent }) => [nameOf(path), image, sent])).toEqual([
      ['spec.containers[0].image', 'main', true],
      ['spec.initContainers[0].image', 'init', true],
      ['spec.initContainers[1].image', 'sidecar', true],
      ['spec.ephemeralContainers[0].image', 'ephemeral', true],
      ['spec.volumes[0].image.reference', 'volume', false],
    ]);
  });

  it.each([
    ['absent', {}],
    ['null', { image: null }],
  ])('takes an image that is %s for an empty one, as the API server does', (_title, container) => {
    const { pods } = visit({ kind: 'Pod', spec: { containers: [container] } });
    expect(pods[0]?.images).toMatchObject([{ image: '' }]);
  });

  it('knows only the annotations that kube-apiserver sends, of the pod and not the workload', () => {
    const annotations = { 'a.image-policy.k8s.io/b': 'INC-1', 'prometheus.io/port': '80' };
    const outer = { name: 'x', annotations: { 'a.image-policy.k8s.io/b': 'INC-2' } };
    const { pods } = visit({
      kind: 'Deployment',
      metadata: outer,
      spec: { template: pod(SPEC, { annotations }) },
    });
    expect([...(pods[0]?.annotations ?? [])]).toEqual([['a.image-policy.k8s.io/b', 'INC-1']]);
  });

  it('finds objects in lists in lists', () => {
    const inner = { kind: 'List', items: [{ kind: 'Pod', metadata: { name: 'b' }, spec: SPEC }] };
    const { pods } = visit({
      kind: 'List',
      items: [
        { kind: 'Pod', metadata: { name: 'a' }, spec: SPEC },
        inner,
        { kind: 'Secret' },
        null,
      ],
    });
    expect(pods.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it.each([
    ['PodList', pod(SPEC)],
    ['DeploymentList', { spec: { template: pod(SPEC) } }],
  ])('knows the kind of what is in a %s', (kind, item) => {
    const apiVersion = kind === 'PodList' ? 'v1' : 'apps/v1';
    expect(visit({ kind, apiVersion, items: [item] }).pods).toHaveLength(1);
    expect(visit(item, { kind, apiVersion }).pods).toHaveLength(1);
  });

  it.each([
    ['another kind', { kind: 'ConfigMap', apiVersion: 'v1', data: {} }, 'ConfigMap'],
    ['the Job of another project', { kind: 'Job', apiVersion: 'batch.volcano.sh/v1' }, 'Job'],
    ['the Pod of another project', { kind: 'Pod', apiVersion: 'example.com/v1' }, 'Pod'],
    ['a kind that objects inherit', { kind: 'constructor', apiVersion: 'v1' }, 'constructor'],
    ['a near kind of another project', { kind: 'Pods', apiVersion: 'example.com/v1' }, 'Pods'],
    ...['Node', 'Secret', 'Service', 'Endpoints', 'Event', 'PodList', 'ReplicaSetList'].map(
      (kind): [string, object, string] => [`a ${kind}`, { kind, apiVersion: 'v1' }, kind],
    ),
    ['a revision', { kind: 'ControllerRevision', apiVersion: 'apps/v1' }, 'ControllerRevision'],
  ])('skips %s', (_title, value, kind) => {
    expect(visit(value)).toEqual({ pods: [], skipped: [kind], invalid: [], unknown: [] });
  });

  it('skips nothing, and lists of nothing, in silence', () => {
    for (const value of [null, undefined, [], { kind: 'List', apiVersion: 'v1', items: [] }]) {
      expect(visit(value)).toEqual({ pods: [], skipped: [], invalid: [], unknown: [] });
    }
  });

  it.each([
    ['a mapping without kind', { image: 'nginx' }, 'got a mapping without kind (scan '],
    ['an empty mapping', {}, 'got a mapping without kind (scan '],
    ['a kind that is empty', { kind: '', apiVersion: 'v1' }, 'got a mapping without kind (scan '],
    ['a kind that is no text', { kind: 5, apiVersion: 'v1' }, 'got a mapping without kind (scan '],
    ['a kind without apiVersion', { kind: 'Secret' }, 'got a mapping without apiVersion (scan '],
    ['a text', 'kind: Pod', 'got a string (scan manifests, or what this writes: kubectl get pods'],
    ['a number', 5, 'got a number (scan '],
    ['something within a list', [[false]], 'got a boolean (scan '],
    ['Pdo', { kind: 'Pdo', apiVersion: 'v1' }, 'got "Pdo" (did you mean "Pod"?)'],
    ['a small letter', { kind: 'pod', apiVersion: 'v1' }, '(did you mean "Pod"?)'],
    ['many', { kind: 'Deployments', apiVersion: 'apps/v1' }, '(did you mean "Deployment"?)'],
    ['Cronjob', { kind: 'Cronjob', apiVersion: 'batch/v1' }, '(did you mean "CronJob"?)'],
    [
      'a list of Pdo',
      { kind: 'PdoList', apiVersion: 'v1', items: [pod(SPEC)] },
      '(did you mean "Pod"?)',
    ],
  ])('does not take %s for something without pods', (_title, value, message) => {
    expect(visit(value)).toEqual({
      pods: [],
      skipped: [],
      invalid: [],
      unknown: [expect.stringContaining(message)],
    });
  });

  it.each([
    ['no spec', { kind: 'Pod' }, 'expected spec to be a mapping, got nothing at spec'],
    [
      'no template',
      { kind: 'Job', spec: {} },
      'expected spec.template to be a mapping, got nothing at spec.template',
    ],
    [
      'containers that are no list',
      { kind: 'Pod', spec: { containers: {} } },
      'expected spec.containers to be a list, got a mapping at spec.containers',
    ],
    [
      'a container that is a text',
      { kind: 'Pod', spec: { initContainers: ['nginx'] } },
      'expected spec.initContainers[0] to be a mapping, got "nginx" at spec.initContainers[0]',
    ],
    [
      'an image that is a number',
      { kind: 'Pod', spec: { containers: [{ image: 5 }] } },
      'expected spec.containers[0].image to be a string, got 5 at spec.containers[0].image',
    ],
    [
      'a volume whose reference is a list',
      { kind: 'Pod', spec: { volumes: [{ image: { reference: [] } }] } },
      'expected spec.volumes[0].image.reference to be a string, got a list at spec.volumes[0].image.reference',
    ],
    [
      'an annotation that is a number',
      { kind: 'Pod', metadata: { annotations: { 'a.image-policy.k8s.io/b': 1 } }, spec: SPEC },
      'to be a string, got 1 at metadata.annotations.a.image-policy.k8s.io/b',
    ],
  ])('says what is wrong with %s', (_title, value, message) => {
    const { pods, invalid } = visit(value);
    expect([pods, invalid]).toEqual([[], [expect.stringContaining(message)]]);
  });
});
