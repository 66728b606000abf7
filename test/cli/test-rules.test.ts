import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import { call, newFolder, removeFolder, RULES } from './call.ts';
import type { Called, Surroundings } from './call.ts';

let folder: string;

const BREAK_GLASS = 'image-checker.image-policy.k8s.io/break-glass';

function fileOf(cases: readonly object[], rules = '../rules.yaml'): string {
  return JSON.stringify({ apiVersion: 'image-checker/v1', kind: 'PolicyTest', rules, cases });
}

const PASSING = [
  { name: 'a trusted image', image: 'docker.io/nginx:1', expect: 'allowed' },
  {
    name: 'an untrusted image',
    image: 'quay.io/a:1',
    expect: 'denied',
    rule: 'trusted-registries',
  },
  {
    name: 'production',
    images: ['docker.io/a:1', 'quay.io/a'],
    namespace: 'prod-a',
    expect: 'denied',
    rule: ['production-is-pinned', 'trusted-registries', 'no-latest'],
  },
  { name: 'a warning', image: 'docker.io/nginx', expect: 'allowed', rule: 'no-latest' },
  { name: 'the same by name', image: 'docker.io/nginx', expect: 'warned', rule: 'no-latest' },
  {
    name: 'an emergency',
    image: 'quay.io/a:1',
    namespace: 'prod-a',
    annotations: { [BREAK_GLASS]: 'INC-1' },
    expect: 'allowed',
  },
  {
    name: 'a review',
    review: { spec: { containers: [{ image: 'quay.io/cni/a:1' }], namespace: 'kube-system' } },
    expect: 'allowed',
  },
  { name: 'a pod without containers', images: [], expect: 'denied' },
];

beforeAll(async () => {
  folder = await newFolder({
    'rules.yaml': RULES,
    'tests/pass.yaml': fileOf(PASSING),
    'tests/fail.yaml': fileOf([
      { name: 'is \u001b[1mdenied', image: 'docker.io/<a>:1', expect: 'allowed' },
      { name: 'by another rule', image: 'quay.io/a', expect: 'denied', rule: 'no-beta' },
      { name: 'passes', image: 'docker.io/a:1', expect: 'allowed' },
      { name: 'is allowed', image: 'docker.io/a:1', expect: 'denied' },
      { name: 'is not warned of', image: 'docker.io/a:1', expect: 'warned' },
      { name: 'is denied beside a warning', image: 'quay.io/a', expect: 'warned' },
      { name: 'is warned of', image: 'docker.io/a', expect: 'denied' },
    ]),
  });
});

afterAll(async () => {
  await removeFolder(folder);
});

function test(args: readonly string[], surroundings: Surroundings = {}): Promise<Called> {
  return call(['test', ...args], { cwd: folder, ...surroundings });
}

describe('image-checker test', () => {
  it('runs the cases of a file, whose rules are relative to it', async () => {
    expect(await test(['tests/pass.yaml'])).toEqual({
      code: EXIT.ok,
      stderr: '',
      stdout: `tests/pass.yaml\n${PASSING.map(({ name }) => `  ✓ ${name}\n`).join('')}\n8 cases: 8 passed, 0 failed\n`,
    });
  });

  it('says of each failure what was expected, what came and why', async () => {
    const { code, stdout } = await test(['tests/fail.yaml', 'tests/pass.yaml']);
    expect(code).toBe(EXIT.finding);
    expect(stdout).toContain(
      [
        '  ✗ is \\u{1b}[1mdenied',
        '      expected allowed, got denied',
        '      docker.io/<a>:1: invalid reference format',
        '  ✗ by another rule',
        '      expected rule no-beta to be violated, got no violation of it',
      ].join('\n'),
    );
    expect(stdout).toContain(
      '      quay.io/a: tag latest (implied, no tag is written) is forbidden (rule no-latest, warn)\n',
    );
    expect(stdout).toContain('  ✗ is allowed\n      expected denied, got allowed\n');
    expect(stdout).toContain('  ✗ is not warned of\n      expected warned, got allowed\n');
    expect(stdout).toContain('  ✗ is denied beside a warning\n      expected warned, got denied\n');
    expect(stdout).toContain('  ✗ is warned of\n      expected denied, got warned\n');
    expect(stdout).toContain('\n15 cases: 9 passed, 6 failed\n');
  });

  it('reports to a CI system with -o junit', async () => {
    const { code, stdout } = await test(['tests/fail.yaml', '-o', 'junit']);
    expect(code).toBe(EXIT.finding);
    expect(stdout).toContain('<testsuites name="image-checker" tests="7" failures="6" errors="0">');
    expect(stdout).toContain('<testcase name="passes" classname="tests/fail.yaml"/>');
    expect(stdout).toContain(
      '<testcase name="is \\u{1b}[1mdenied" classname="tests/fail.yaml">\n' +
        '      <failure message="expected allowed, got denied">expected allowed, got denied\n' +
        'docker.io/&lt;a&gt;:1: invalid reference format</failure>',
    );
  });

  it('says everything as JSON', async () => {
    const { stdout } = await test(['tests/fail.yaml', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      summary: { cases: 7, passed: 1, failed: 6 },
      results: [
        { file: 'tests/fail.yaml', passed: false, expected: 'allowed', got: 'denied' },
        { missing: ['no-beta'] },
        { name: 'passes', passed: true, violations: [] },
        ...[{}, {}, {}, {}],
      ],
    });
  });

  it('colours on a terminal', async () => {
    const { stdout } = await test(['tests/pass.yaml'], { terminal: true });
    expect(stdout).toContain('\u001b[32m✓\u001b[39m a trusted image\n');
  });

  it.each<[string, object[], string]>([
    [
      'a rule that is not there',
      [{ name: 'a', image: 'a', expect: 'denied', rule: 'no-late' }],
      'did you mean "no-latest"?',
    ],
    [
      'no image',
      [{ name: 'a', expect: 'denied' }],
      'expected one of image, images, review, got none',
    ],
    [
      'an image and a review',
      [{ name: 'a', image: 'a', review: {}, expect: 'denied' }],
      'expected one of image, images, review, got image and review',
    ],
    [
      'a review with a namespace beside it',
      [{ name: 'a', review: {}, namespace: 'a', expect: 'denied' }],
      'a review has its own namespace and annotations',
    ],
    [
      'a review that is none',
      [{ name: 'a', review: { spec: { containers: [{ image: 5 }] } }, expect: 'denied' }],
      'case "a": expected spec.containers[0].image to be a string, got 5',
    ],
    [
      'two cases of one name',
      [
        { name: 'a', image: 'a', expect: 'denied' },
        { name: 'a', image: 'b', expect: 'denied' },
      ],
      'another case is called "a"',
    ],
    [
      'two cases of one name beside another mistake',
      [
        { name: 'a', image: 'a', expect: 'denied' },
        { name: 'a', image: 'b' },
      ],
      'another case is called "a"',
    ],
    ['no expectation', [{ name: 'a', image: 'a' }], 'cases[0].expect is missing'],
    ['an unknown key', [{ name: 'a', imag: 'a', expect: 'denied' }], 'did you mean "image"?'],
    [
      'an annotation that is never sent',
      [{ name: 'a', image: 'a', annotations: { a: 'b' }, expect: 'denied' }],
      'cases[0].annotations: kube-apiserver sends no annotation whose key lacks .image-policy.k8s.io/, got "a"',
    ],
    ['no cases', [], 'cases: expected at least 1 item'],
  ])('refuses %s', async (_title, cases, message) => {
    const place = await newFolder({ 'rules.yaml': RULES, 'tests/a.yaml': fileOf(cases) });
    const { code, stdout, stderr } = await call(['test', 'tests/a.yaml'], { cwd: place });
    await removeFolder(place);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^image-checker: error: tests\/a\.yaml/);
  });

  it('tells what is wrong with all files before it runs any', async () => {
    const place = await newFolder({
      'a.yaml': fileOf([{ name: 'a' }], 'rules.yaml'),
      'b.yaml': fileOf(PASSING, 'nope.yaml'),
    });
    const { code, stdout, stderr } = await call(['test', 'a.yaml', 'b.yaml'], { cwd: place });
    await removeFolder(place);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toContain('error: a.yaml:1:');
    expect(stderr).toContain('error: nope.yaml: cannot be read: no such file');
  });

  it('explains its files with --help', async () => {
    const { stdout } = await test(['--help']);
    expect(stdout).toContain('kind: PolicyTest');
    expect(stdout).toContain('warned    the pod may run, and a rule with mode warn is violated');
  });
});
