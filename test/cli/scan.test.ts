import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import { call, newFolder, removeFolder, RULES } from './call.ts';
import type { Called, Surroundings } from './call.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/scan', import.meta.url));

let folder: string;

beforeAll(async () => {
  folder = await newFolder({
    'rules.yaml': RULES,
    'covering-none.yaml': `apiVersion: image-checker/v1
kind: ImagePolicy
metadata: { name: covering-none }
spec: { rules: [{ name: a, match: { namespaces: [a] } }] }
`,
    'broken.yaml':
      'kind: Pod\n---\na: [\n---\nkind: Pod\nspec: { containers: [{ image: nginx }] }\n',
    'not-a-pod.yaml': 'kind: Pod\nmetadata: { name: x }\nspec:\n  containers:\n    - image: 5\n',
    'good.yaml': 'kind: Pod\nspec: { containers: [{ image: "docker.io/nginx:1" }] }\n',
    'empty/readme.md': '',
    'chart/values.yaml': 'image: nginx\n',
    'chart/pod.yaml': 'kind: Pod\nspec: { containers: [{ image: "docker.io/nginx:1" }] }\n',
  });
});

afterAll(async () => {
  await removeFolder(folder);
});

function scan(args: readonly string[], surroundings: Surroundings = {}): Promise<Called> {
  return call(['scan', '--rules', `${folder}/rules.yaml`, ...args], {
    cwd: FIXTURES,
    ...surroundings,
  });
}

function podsWith(...images: readonly string[]): string {
  const spec = { containers: images.map((image) => ({ image })) };
  return JSON.stringify({ kind: 'List', items: [{ kind: 'Pod', metadata: { name: 'p' }, spec }] });
}

interface Result {
  readonly namespace: string;
  readonly field: string;
  readonly image: string;
  readonly verdict: string;
  readonly violations: readonly { readonly rule: string | null; readonly mode: string }[];
  readonly note?: string;
}

interface Report {
  readonly summary: object;
  readonly results: readonly Result[];
}

async function report(args: readonly string[], surroundings?: Surroundings): Promise<Report> {
  return JSON.parse((await scan([...args, '-o', 'json'], surroundings)).stdout) as Report;
}

describe('image-checker scan', () => {
  it('says as JSON what is not simply allowed, with exactly the agreed keys', async () => {
    const { code, stdout, stderr } = await scan(['-f', 'folder', '-o', 'json']);
    expect([code, stderr]).toEqual([EXIT.finding, '']);
    const { summary, results } = JSON.parse(stdout) as Report;
    expect(summary).toEqual({ pods: 4, images: 8, denied: 3, warned: 2 });
    expect(results.map(({ image, verdict }) => `${verdict} ${image}`)).toEqual([
      'allowed registry.k8s.io/report:2-beta',
      'warned docker.io/team/pushed',
      'allowed ghcr.io/rescue/tool:1',
      'denied nginx',
      'denied nginx',
      'denied docker.io/team/migrate:1.2',
      'warned quay.io/team/models:3',
    ]);
    expect(results.find(({ image }) => image === 'nginx')).toEqual({
      source: 'folder/web.yaml',
      kind: 'Deployment',
      namespace: 'prod-shop',
      name: 'web',
      field: 'spec.template.spec.containers[0].image',
      image: 'nginx',
      verdict: 'denied',
      violations: expect.arrayContaining([
        { rule: 'production-is-pinned', mode: 'enforce', message: expect.any(String) },
        { rule: 'no-latest', mode: 'warn', message: expect.any(String) },
      ]),
    });
  });

  it('marks image volumes, and never denies them', async () => {
    const spec = {
      volumes: [{ image: { reference: 'quay.io/x' } }],
      containers: [{ image: 'a:1' }],
    };
    const { summary, results } = await report(['-'], {
      stdin: JSON.stringify({ kind: 'Pod', spec }),
    });
    expect(summary).toEqual({ pods: 1, images: 2, denied: 0, warned: 1 });
    expect(results).toMatchObject([
      {
        field: 'spec.volumes[0].image.reference',
        verdict: 'warned',
        violations: [{ rule: 'no-latest' }, { rule: 'trusted-registries', mode: 'enforce' }],
        note: 'the plugin never sends these',
      },
    ]);
  });

  it('lets break-glass pass what the rules deny, and says so', async () => {
    const { results } = await report(['folder/deep/pods.json']);
    expect(results).toMatchObject([
      {
        verdict: 'allowed',
        violations: [{ mode: 'enforce' }, { mode: 'enforce' }],
        note: 'break-glass INC-7 overrides the rules',
      },
    ]);
  });

  it('adds with --all what is simply allowed', async () => {
    const { results } = await report(['--all', 'folder/deep/pods.json']);
    expect(results.map(({ image }) => image)).toEqual([
      'quay.io/cni/agent:1',
      'ghcr.io/rescue/tool:1',
    ]);
    expect(results[0]).toMatchObject({ verdict: 'allowed', violations: [] });
  });

  it.each([
    ['an image without a reference', '', 'expected an image, got an empty string'],
    ['a local image id', 'sha256:abc', 'a node may take this for the id'],
    ['a reference with an empty registry', 'foo_bar.com/x', 'is no valid registry'],
  ])('denies %s, by no rule', async (_title, image, message) => {
    const { results } = await report(['-'], { stdin: podsWith(image) });
    expect(results).toMatchObject([
      {
        image,
        verdict: 'denied',
        violations: [{ rule: null, mode: 'enforce', message: expect.stringContaining(message) }],
      },
    ]);
  });

  it('denies a pod without containers, as the service would', async () => {
    const { summary, results } = await report(['-'], { stdin: '{"kind":"Pod","spec":{}}' });
    expect(summary).toEqual({ pods: 1, images: 0, denied: 1, warned: 0 });
    expect(results).toMatchObject([{ field: 'spec.containers', image: '' }]);
  });

  it.each([
    ['Pod', [], 'spec.containers'],
    ['StatefulSet', ['spec', 'template'], 'spec.template.spec.containers'],
    [
      'CronJob',
      ['spec', 'jobTemplate', 'spec', 'template'],
      'spec.jobTemplate.spec.template.spec.containers',
    ],
  ])('names the place of the containers that a %s lacks', async (kind, template, field) => {
    const steps = [...template, 'spec'].map((step, depth) => `${'  '.repeat(depth)}${step}:`);
    const last = `${'  '.repeat(steps.length)}containers: []`;
    const stdin = [`kind: ${kind}`, 'metadata: { name: x }', ...steps, last].join('\n');
    const sarif = await scan(['-', '-o', 'sarif'], { stdin });
    const { stdout } = await scan(['-'], { stdin });
    expect((await report(['-'], { stdin })).results).toMatchObject([{ field, image: '' }]);
    expect(stdout).toContain(`default/${kind}/x (stdin:${steps.length + 3})\n`);
    expect(stdout).toContain('       1       1       0  (empty review)\n');
    expect(sarif.stdout).toContain('"ruleId": "image-checker/empty-review"');
  });

  it.each([
    ['an image that is none', 'Ü', '(no usable reference)', 'no-usable-reference'],
    ['an image that no rule covers', 'x:1', '(covered by no rule)', 'covered-by-no-rule'],
  ])('counts by what it is %s', async (_title, image, title, id) => {
    const given = { stdin: podsWith(image) };
    const args = ['--rules', `${folder}/covering-none.yaml`, '-'];
    expect((await scan(args, given)).stdout).toContain(`       1       1       0  ${title}\n`);
    const { stdout } = await scan([...args, '-o', 'sarif'], given);
    expect(stdout).toContain(`"ruleId": "image-checker/${id}"`);
  });

  it('takes -n for the namespace of objects that name none, and of no others', async () => {
    const { results } = await report(['-n', 'prod-x', '-', 'folder/web.yaml'], {
      stdin: podsWith('docker.io/nginx:1'),
    });
    expect(results.map(({ namespace }) => namespace)).toEqual([
      'prod-x',
      ...Array<string>(4).fill('prod-shop'),
    ]);
  });

  it('shows for people what was found, and the numbers', async () => {
    const { code, stdout } = await scan(['-f', 'folder/web.yaml', '-f', 'folder/deep/jobs.yml']);
    expect(code).toBe(EXIT.finding);
    expect(stdout).toContain(
      'prod-shop/Deployment/web (folder/web.yaml:19)\n' +
        '  denied  nginx  spec.template.spec.containers[0].image\n',
    );
    expect(stdout).toContain(
      '          tag latest (implied, no tag is written) is forbidden (rule no-latest, warn)\n',
    );
    expect(stdout).toContain(
      'by rule       images  denied  warned\n' +
        '                   4       3       1  production-is-pinned\n',
    );
    expect(stdout).toContain(
      'by namespace  images  denied  warned\n                   4       3       1  prod-shop\n',
    );
    expect(stdout).toContain(
      'by image      images  denied  warned\n                   2       2       0  nginx\n',
    );
    expect(stdout).toContain('2 pods (1 would not run), 6 images: 3 denied, 2 warned\n');
    expect(stdout).toContain('skipped 1 object of other kinds: Service 1\n');
  });

  it('has nothing to say but the numbers when all is well', async () => {
    expect(await scan(['-'], { stdin: podsWith('docker.io/nginx:1') })).toEqual({
      code: EXIT.ok,
      stdout: '1 pod, 1 image: 0 denied, 0 warned\n',
      stderr: '',
    });
  });

  it('escapes what it quotes before it reaches a terminal', async () => {
    const { stdout } = await scan(['-'], { stdin: podsWith('a\u001b[31m\u202eb') });
    expect(stdout).toContain('denied  a\\u{1b}[31m\\u{202e}b  spec');
    expect(stdout).not.toContain('\u001b');
  });

  it.each([
    ['on a terminal', {}, true, true],
    ['not elsewhere', {}, false, false],
    ['not with NO_COLOR', { NO_COLOR: '1' }, true, false],
    ['not on a dumb terminal', { TERM: 'dumb' }, true, false],
  ])('colours %s', async (_title, env, terminal, coloured) => {
    const { stdout } = await scan(['-'], { stdin: podsWith('x'), env, terminal });
    expect(stdout.includes('\u001b[33mwarned')).toBe(coloured);
  });

  it('goes on after a broken document, and ends with 2', async () => {
    const args = ['-f', `${folder}/broken.yaml`, '-f', `${folder}/not-a-pod.yaml`, '-o', 'json'];
    const { code, stdout, stderr } = await scan(args);
    expect(code).toBe(EXIT.usage);
    expect(stderr.split('\n').map((line) => line.replace(folder, ''))).toEqual([
      'image-checker: error: /broken.yaml:1:1: Pod (no name): expected spec to be a mapping, got nothing',
      expect.stringMatching(/^image-checker: error: \/broken\.yaml:4:1: not YAML: /),
      'image-checker: error: /not-a-pod.yaml:5:14: Pod x: expected spec.containers[0].image to be a string, got 5',
      '',
    ]);
    expect((JSON.parse(stdout) as Report).results).toMatchObject([{ image: 'nginx' }]);
  });

  it.each([
    ['a table of kubectl', 'NAMESPACE NAME READY\n', 'stdin:1:1: expected a Kubernetes object'],
    ['an empty object', '{}', 'stdin:1:1: expected a Kubernetes object'],
    ['a kind with a slip', 'apiVersion: v1\nkind: Pdo\n', 'stdin:2:7: expected a kind that v1 has'],
    ['a text after a pod', 'kind: Pod\nspec: {}\n---\nx\n', 'stdin:4:1: expected'],
  ])('is not content with %s', async (_title, stdin, message) => {
    const { code, stderr } = await scan(['-'], { stdin });
    expect(code).toBe(EXIT.usage);
    expect(stderr).toContain(`image-checker: error: ${message}`);
    expect(stderr).toContain('image-checker: hint: ');
  });

  it('skips what is no object of Kubernetes among the files of a folder, and not where it is named', async () => {
    const chart = `${folder}/chart`;
    const among = await scan([chart]);
    expect(among).toMatchObject({ code: EXIT.ok, stderr: '' });
    expect(among.stdout).toContain('skipped 1 object of other kinds: no kind 1\n');
    expect(await scan([`${chart}/values.yaml`])).toMatchObject({ code: EXIT.usage });
  });

  it('is content with empty documents, and with other kinds', async () => {
    const other = '---\napiVersion: v1\nkind: ConfigMap\n---\n---\n';
    const stdin = `---\n# nothing\n${other}${podsWith('docker.io/nginx:1')}\n---\n`;
    expect(await scan(['-'], { stdin })).toMatchObject({ code: EXIT.ok, stderr: '' });
  });

  it('goes on after a file that is gone, and knows a folder without manifests', async () => {
    expect(await scan([`${folder}/empty`])).toMatchObject({ code: EXIT.usage, stdout: '' });
  });

  it.each([
    ['nothing to scan', [], 'expected -f FILE, -f FOLDER or -'],
    ['a file that is not there', ['nope.yaml'], 'nope.yaml: cannot be read: no such file'],
    ['rules that are not there', ['--rules', 'nope', '-'], 'nope: cannot be read: no such file'],
    ['rules that are not there, naming the flag', ['--rules', 'nope', '-'], 'with --rules FILE'],
    ['old rules that are not there', ['--diff', 'nope', '-'], 'nope: cannot be read'],
    ['old rules that are not there, naming the flag', ['--diff', 'nope', '-'], 'with --diff FILE'],
    ['an unknown format', ['-o', 'xml', '-'], 'Allowed choices are table, json, junit, sarif'],
    ['--all of changes', ['--all', '--diff', 'x', '-'], '--diff shows changes alone'],
    ['--all as SARIF', ['--all', '-o', 'sarif', '-'], 'SARIF holds violations alone'],
    ['a namespace that is none', ['-n', 'A b', '-'], 'expected the name of a namespace'],
  ])('refuses %s', async (_title, args, message) => {
    const { code, stdout, stderr } = await scan(args);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toContain(message);
  });

  it('explains itself with --help', async () => {
    const { stdout } = await call(['scan', '--help']);
    expect(stdout).toContain('denied and\nwarned count image fields');
    expect(stdout).toContain('{"summary":{"pods","images","denied","warned","unknown"}');
    expect(stdout).toContain('unknown is there only above 0');
    expect(stdout).toContain(
      'kubectl get pods -A -o json | image-checker scan --rules rules.yaml -',
    );
  });
});
