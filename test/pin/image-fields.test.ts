import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { readImageFields } from '../../src/pin/image-fields.ts';
import { pinText } from '../../src/pin/pin-text.ts';

const PIN = `@sha256:${'a'.repeat(64)}`;

function fields(text: string): { readonly images: string[]; readonly problems: string[] } {
  const read = readImageFields({ file: 'm.yaml', text });
  return {
    images: read.fields.map(({ image, line }) => `${line} ${image}`),
    problems: read.problems.map(({ line, message }) => `${line ?? 0} ${message}`),
  };
}

const shared = (text: string): string[] =>
  readImageFields({ file: 'm.yaml', text })
    .fields.filter(({ isShared }) => isShared)
    .map(({ image, line }) => `${line} ${image}`);

function pinned(text: string): string {
  const { fields: found, problems } = readImageFields({ file: 'm.yaml', text });
  expect(problems).toEqual([]);
  expect(found.filter(({ isShared }) => isShared)).toEqual([]);
  return pinText(text, found, new Map(found.map(({ image }) => [image, `${image}${PIN}`])));
}

/** A pod with one container, whose image is written like this. */
const pod = (image: string, before = ''): string =>
  `apiVersion: v1\nkind: Pod\n${before}spec:\n  containers:\n    - name: a\n      image: ${image}\n`;

describe('the images of a manifest', () => {
  it.each([
    ['plain', pod('nginx:1'), pod(`nginx:1${PIN}`)],
    ['in single quotes', pod("'nginx:1' # why"), pod(`'nginx:1${PIN}' # why`)],
    ['in double quotes', pod('"nginx:1"   '), pod(`"nginx:1${PIN}"   `)],
    ['with an anchor', pod('&i nginx:1'), pod(`&i nginx:1${PIN}`)],
    ['with a tag', pod('!!str nginx:1'), pod(`!!str nginx:1${PIN}`)],
    [
      'by an alias',
      'kind: Pod\nspec: { containers: [{ image: &i "nginx:1" }, { image: *i }] }\n',
      `kind: Pod\nspec: { containers: [{ image: &i "nginx:1${PIN}" }, { image: *i }] }\n`,
    ],
    [
      'behind CRLF',
      pod('nginx:1').replaceAll('\n', '\r\n'),
      pod(`nginx:1${PIN}`).replaceAll('\n', '\r\n'),
    ],
    ['behind a byte order mark', `\ufeff${pod('nginx:1')}`, `\ufeff${pod(`nginx:1${PIN}`)}`],
    ['without a line break at the end', pod('nginx:1').trimEnd(), pod(`nginx:1${PIN}`).trimEnd()],
    [
      'in JSON',
      '{"kind":"Pod","spec":{"containers":[{"image":"nginx:1"}]}}',
      `{"kind":"Pod","spec":{"containers":[{"image":"nginx:1${PIN}"}]}}`,
    ],
    [
      'in JSON with ends of lines that YAML alone has',
      '\ufeff{"kind":"Pod","spec":{"containers":[{"name":"\u2028","image":"nginx:1"}]}}',
      `\ufeff{"kind":"Pod","spec":{"containers":[{"name":"\u2028","image":"nginx:1${PIN}"}]}}`,
    ],
    [
      'in flow style',
      'kind: Pod\nspec: { containers: [ { image: nginx:1, name: a } ] }\n',
      `kind: Pod\nspec: { containers: [ { image: nginx:1${PIN}, name: a } ] }\n`,
    ],
    [
      'by a merge',
      'kind: Pod\nspec: { containers: [&b { image: nginx:1 }, { <<: *b, name: a }] }\n',
      `kind: Pod\nspec: { containers: [&b { image: nginx:1${PIN} }, { <<: *b, name: a }] }\n`,
    ],
    [
      'by a merge of several',
      'kind: Pod\nspec: { containers: [&a { name: a }, &b { image: nginx:1 }, { <<: [*a, *b] }] }\n',
      `kind: Pod\nspec: { containers: [&a { name: a }, &b { image: nginx:1${PIN} }, { <<: [*a, *b] }] }\n`,
    ],
    [
      'of a list that is an alias',
      'kind: Pod\nspec:\n  initContainers: &c [ { image: nginx:1 } ]\n  containers: *c\n',
      `kind: Pod\nspec:\n  initContainers: &c [ { image: nginx:1${PIN} } ]\n  containers: *c\n`,
    ],
  ])('are pinned %s, and nothing else', (_title, text, expected) => {
    expect(pinned(text)).toBe(expected);
  });

  it.each([
    ['kubeadm-v1.35.yaml'],
    ['kubeadm-v1.20.yaml'],
    ['comments.yaml'],
    ['windows.yaml'],
    ['flow.yaml'],
    ['json-tabs.json'],
    ['json-compact.json'],
  ])('are pinned in the manifest of a kube-apiserver: %s', (name) => {
    const text = readFileSync(new URL(`../manifest/fixtures/${name}`, import.meta.url), 'utf8');
    const { images } = fields(text);
    expect(images).toHaveLength(1);
    const after = pinned(text);
    expect(after.replace(PIN, '')).toBe(text);
    expect(parseAllDocuments(after)).toHaveLength(1);
  });

  it('are those of every kind of workload and container', () => {
    const text = `apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      initContainers: [{ image: init:1 }]
      containers: [{ image: app:1 }, { image: app:1 }]
      volumes: [{ name: v, image: { reference: volume:1 } }]
---
apiVersion: batch/v1
kind: CronJob
spec: { jobTemplate: { spec: { template: { spec: { containers: [{ image: cron:1 }] } } } } }
---
apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: Pod, spec: { containers: [{ image: item:1 }], ephemeralContainers: [{ image: debug:1 }] } }
  - { apiVersion: v1, kind: ConfigMap, data: { image: config:1 } }
---
apiVersion: other.example/v1
kind: Deployment
spec: { template: { spec: { containers: [{ image: other:1 }] } } }
---
`;
    expect(fields(text)).toEqual({
      images: [
        '6 init:1',
        '7 app:1',
        '7 app:1',
        '8 volume:1',
        '12 cron:1',
        '17 item:1',
        '17 debug:1',
      ],
      problems: [],
    });
  });

  it.each([
    ['broken YAML', 'kind: Pod\nspec: [', '2 not YAML: '],
    [
      'a template of Helm',
      'kind: Pod\nspec:\n  containers:\n    - image: {{ .Values.image }}\n',
      '4 Pod (no name): expected spec.containers[0].image to be a string',
    ],
    [
      'an image in several lines',
      pod('>-\n        nginx:1'),
      '6 expected nginx:1 to be written in one piece',
    ],
    [
      'an image with escapes',
      pod('"nginx\\x3a1"'),
      '6 expected nginx:1 to be written in one piece',
    ],
    [
      'an image that is a number',
      pod('1'),
      '6 Pod (no name): expected spec.containers[0].image to be a string, got 1',
    ],
    ['an alias of nothing', pod('*absent'), '1 not YAML: '],
    [
      'a kind with a slip in it',
      pod('nginx:1').replace('Pod', 'Pdo'),
      '2 expected a kind that v1 has, got "Pdo"',
    ],
    [
      'no Kubernetes object',
      'image: nginx:1\n',
      '1 expected a Kubernetes object, got a mapping without kind',
    ],
    [
      'no Kubernetes object behind one',
      `${pod('nginx:1')}---\nfoo: bar\n`,
      '8 expected a Kubernetes object, got a mapping without kind',
    ],
    ['a text', 'nginx:1\n', '1 expected a Kubernetes object, got a string'],
    ['an empty file', '', '1 expected a Kubernetes object, got nothing at all'],
    ['comments alone', '# nothing\n', '1 expected a Kubernetes object, got nothing at all'],
    ['separators alone', '---\n---\n', '1 expected a Kubernetes object, got nothing at all'],
    [
      'a line that only kubectl lets end',
      pod('good:1 #\u2028    - image: evil:1'),
      '6 expected lines to end by LF or CR LF, got U+2028',
    ],
    [
      'a bare CR in JSON, which is no blank in YAML',
      '{"kind":"Pod","spec":{"containers":[],\r"initContainers":[{"image":"evil:1"}]}}',
      '1 expected lines to end by LF or CR LF, got U+000D',
    ],
    [
      'an image that kubectl takes from a merge behind it',
      pod('good:1\n      <<: *x', 'metadata: { annotations: &x { image: evil:1 } }\n'),
      '8 expected << before the keys that it gives, got "image" before it',
    ],
  ])('are a problem: %s', (_title, text, message) => {
    const { problems } = fields(text);
    expect(problems[0]).toContain(message);
  });

  it.each([
    ['a label', pod('*a', 'metadata: { labels: { app: &a nginx } }\n'), '3 nginx'],
    ['a name by another alias', pod('&a nginx\n      name2: *a'), '6 nginx'],
    ['a key', pod('*a', '&a nginx : 1\n'), '3 nginx'],
    ['a key by another alias', pod('&a nginx\n      *a : 1'), '6 nginx'],
    ['what nothing else reads', pod('*a', 'x-image: &a "nginx"\n'), '3 nginx'],
    ['what is merged', pod('x\n    - <<: *a', 'x: &a { image: nginx }\n'), '3 nginx'],
    [
      'a list of another object',
      pod('x\n  initContainers: *a', 'x: &a [{ image: nginx }]\n'),
      '3 nginx',
    ],
    ['what merges the container', pod('x\n    - &c { image: nginx }\nx: { <<: *c }'), '7 nginx'],
  ])('share their text with %s', (_title, text, expected) => {
    expect(shared(text)).toEqual([expected]);
  });

  it.each([
    ['a list of nothing', 'apiVersion: v1\nkind: List\nitems: []\n'],
    ['a kind without pods', 'apiVersion: v1\nkind: ConfigMap\n---\n# nothing\n'],
    ['a container without an image', 'kind: Pod\nspec: { containers: [{ name: a }] }\n'],
  ])('are none in %s', (_title, text) => {
    expect(fields(text)).toEqual({ images: [], problems: [] });
  });
});
