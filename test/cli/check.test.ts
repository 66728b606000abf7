import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import { call, DIGEST, newFolder, removeFolder, RULES } from './call.ts';
import type { Called, Surroundings } from './call.ts';

let folder: string;

beforeAll(async () => {
  folder = await newFolder({
    'rules.yaml': RULES,
    'broken.yaml': RULES.replace('trusted-registries', 'Trusted'),
  });
});

afterAll(async () => {
  await removeFolder(folder);
});

function check(args: readonly string[], surroundings: Surroundings = {}): Promise<Called> {
  return call(['check', '--rules', 'rules.yaml', ...args], { cwd: folder, ...surroundings });
}

const BREAK_GLASS = 'image-checker.image-policy.k8s.io/break-glass';

describe('image-checker check', () => {
  it('shows the reference, every rule that covers the image, and the verdict', async () => {
    const { code, stdout, stderr } = await check(['quay.io/x/y', '-n', 'kube-system']);
    expect([code, stderr]).toEqual([EXIT.finding, '']);
    expect(stdout).toMatch(
      new RegExp(
        [
          'quay\\.io/x/y: denied',
          '  is quay\\.io/x/y:latest',
          '  pass      no-beta \\(audit\\)',
          '  violated  no-latest \\(warn\\): tag latest \\(implied, no tag is written\\) is forbidden',
          '  violated  trusted-registries: registry quay\\.io is none of docker\\.io, .*',
          '',
          'verdict in namespace kube-system, by cluster-policy@[0-9a-f]{12}: denied',
          '  quay\\.io/x/y: registry quay\\.io is none of .* \\(rule trusted-registries\\): not trusted image!',
          '',
        ].join('\n'),
      ),
    );
  });

  it('shows that an image is exempt', async () => {
    const { code, stdout } = await check(['quay.io/cni/agent:1', '-n', 'kube-system']);
    expect(code).toBe(EXIT.ok);
    expect(stdout).toContain('  exempt    trusted-registries\n');
  });

  it.each([
    ['an allowed image', ['docker.io/nginx:1'], EXIT.ok, 'allowed'],
    ['a warning', ['docker.io/nginx'], EXIT.ok, 'allowed'],
    [
      'one image of two that is denied',
      ['docker.io/nginx:1', 'quay.io/a:1'],
      EXIT.finding,
      'denied',
    ],
    [
      'a namespace where more is asked',
      ['docker.io/nginx:1', '-n', 'prod-a'],
      EXIT.finding,
      'denied',
    ],
    ['a digest there', [`docker.io/nginx@${DIGEST}`, '-n', 'prod-a'], EXIT.ok, 'allowed'],
    ['an image that is none', [''], EXIT.finding, 'denied'],
    ['a local image id', ['sha256:abc'], EXIT.finding, 'denied'],
  ])('ends by the verdict over the review: %s', async (_title, args, expected, verdict) => {
    const { code, stdout } = await check(args);
    expect(code).toBe(expected);
    expect(stdout).toMatch(new RegExp(`^verdict in namespace .*: ${verdict}$`, 'm'));
  });

  it('says what the policy does with an image that no rule covers', async () => {
    const rules = await newFolder({
      'rules.yaml': RULES.replace(
        / {2}rules:[^]*/,
        '  rules:\n    - name: a\n      match: { namespaces: [a] }\n',
      ),
    });
    const { code, stdout } = await call(['check', 'nginx', '--rules', 'rules.yaml'], {
      cwd: rules,
    });
    await removeFolder(rules);
    expect(code).toBe(EXIT.finding);
    expect(stdout).toContain('  no rule covers it: unmatchedImages: deny\n');
  });

  it('lets break-glass override the rules, and shows its ticket', async () => {
    const args = ['quay.io/a:1', '-n', 'prod-a', '--annotation', `${BREAK_GLASS}=INC-1`];
    const { code, stdout } = await check(args);
    expect(code).toBe(EXIT.ok);
    expect(stdout).toContain('break-glass with ticket INC-1: overrides what the rules deny\n');
  });

  it.each([
    ['a ticket of another form', 'prod-a', 'because', 'the ticket does not match INC-[0-9]+'],
    ['a namespace without break-glass', 'default', 'INC-1', 'there is none in namespace default'],
  ])('shows why break-glass is refused: %s', async (_title, namespace, ticket, why) => {
    const args = ['quay.io/a:1', '-n', namespace, '--annotation', `${BREAK_GLASS}=${ticket}`];
    const { code, stdout } = await check(args);
    expect(code).toBe(EXIT.finding);
    expect(stdout).toContain(`break-glass refused: ${why}\n`);
  });

  it('leaves out annotations that kube-apiserver would not send, and says so', async () => {
    const { code, stderr } = await check([
      'docker.io/a:1',
      '--annotation',
      'a=b',
      '--annotation',
      'c=',
    ]);
    expect(code).toBe(EXIT.ok);
    expect(stderr).toBe(
      ['a', 'c']
        .map(
          (key) =>
            `image-checker: warning: annotation "${key}" is left out: kube-apiserver sends only those whose key holds .image-policy.k8s.io/\n`,
        )
        .join(''),
    );
  });

  it('says everything as JSON', async () => {
    const args = ['quay.io/cni/a', 'Ü', '-n', 'kube-system', '-o', 'json'];
    const { code, stdout } = await check(args);
    expect(code).toBe(EXIT.finding);
    expect(JSON.parse(stdout)).toEqual({
      namespace: 'kube-system',
      annotations: {},
      policy: { name: 'cluster-policy', hash: expect.stringMatching(/^[0-9a-f]{12}$/) },
      allowed: false,
      reason: expect.stringMatching(/^Ü: /),
      breakGlass: null,
      images: [
        {
          image: 'quay.io/cni/a',
          normalized: 'quay.io/cni/a:latest',
          verdict: 'warned',
          refused: null,
          rules: [
            { rule: 'no-beta', mode: 'audit', result: 'pass', violations: [] },
            {
              rule: 'no-latest',
              mode: 'warn',
              result: 'violated',
              violations: ['tag latest (implied, no tag is written) is forbidden'],
            },
            { rule: 'trusted-registries', mode: 'enforce', result: 'exempt', violations: [] },
          ],
        },
        { image: 'Ü', normalized: null, verdict: 'denied', refused: expect.any(String), rules: [] },
      ],
    });
  });

  it('escapes what it quotes', async () => {
    const { stdout } = await check(['a\u001b[2Jb\nc']);
    expect(stdout).toContain('a\\u{1b}[2Jb\\u{a}c: denied\n');
    expect(stdout).not.toContain('\u001b');
  });

  it.each([
    [true, {}, true],
    [true, { NO_COLOR: '1' }, false],
    [false, {}, false],
  ])('on a terminal: %s, with %j: colours: %s', async (terminal, env, coloured) => {
    const { stdout } = await check(['quay.io/a'], { terminal, env });
    expect(stdout.includes('\u001b[31mdenied')).toBe(coloured);
  });

  it.each([
    ['no image', [], "missing required argument 'image'"],
    ['an annotation without a value', ['a', '--annotation', 'x'], 'expected KEY=VALUE'],
    ['a namespace that is none', ['a', '-n', 'A'], 'expected the name of a namespace'],
    ['a broken rules file', ['a', '--rules', 'broken.yaml'], 'broken.yaml:12:13: '],
    [
      'a rules file that is not there',
      ['a', '--rules', 'nope'],
      'nope: cannot be read: no such file',
    ],
    [
      'a server without a certificate',
      ['a', '--server', 'https://127.0.0.1:1'],
      '--cert, --key and --ca',
    ],
    ...['--cert', '--key', '--ca'].map((flag): [string, string[], string] => [
      `${flag} without a server`,
      ['docker.io/a:1', flag, 'x.pem'],
      `expected --server beside ${flag}, got none`,
    ]),
    [
      'a server over plain http',
      ['a', '--server', 'http://a'],
      'expected https://host:port, got "http://a"',
    ],
  ])('refuses %s', async (_title, args, message) => {
    const { code, stdout, stderr } = await check(args);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^image-checker: error: /);
  });

  it('names the installed rules file when it is told none', async () => {
    const { stdout } = await call(['check', '--help']);
    expect(stdout).toContain('/etc/image-checker/rules.yaml');
    expect(stdout).toContain('Examples:\n  image-checker check nginx:1.27 --rules rules.yaml\n');
  });
});
