import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import { call, newFolder, removeFolder, RULES } from './call.ts';
import type { Called } from './call.ts';

let folder: string;

const POD = `kind: Pod
metadata: { name: "<p>", namespace: a }
spec:
  containers:
    - image: "quay.io/x:1"
    - image: "docker.io/nginx:1"
    - image: "docker.io/redis"
`;

const BREAK_GLASS = 'image-checker.image-policy.k8s.io/break-glass';

/** Three rules that have something against the same images, each in a mode of its own. */
const MODES = `apiVersion: image-checker/v1
kind: ImagePolicy
metadata: { name: modes }
spec:
  breakGlass: { annotation: ${BREAK_GLASS} }
  unmatchedImages: allow
  rules:
    - { name: a, mode: audit, forbid: { registries: [docker.io] } }
    - { name: q, forbid: { registries: [docker.io] } }
    - { name: w, mode: warn, forbid: { registries: [docker.io] } }
`;

beforeAll(async () => {
  folder = await newFolder({
    'new.yaml': RULES,
    'old.yaml': RULES.replace('docker.io, ', 'quay.io, ').replace('mode: warn', 'mode: enforce'),
    'a b.yaml': POD,
    'broken.yaml': 'a: [',
    'modes.yaml': MODES,
    'nginx.yaml': 'kind: Pod\nspec: { containers: [{ image: nginx }] }\n',
    'volume.yaml': `kind: Pod\nspec:\n  containers: [{ image: a.io/x }]\n  volumes: [{ image: { reference: nginx } }]\n`,
    'glass.yaml': `kind: Pod
metadata: { annotations: { ${BREAK_GLASS}: INC-1 } }
spec: { containers: [{ image: nginx }] }
`,
  });
});

afterAll(async () => {
  await removeFolder(folder);
});

function scan(...args: readonly string[]): Promise<Called> {
  return call(['scan', '--rules', 'new.yaml', ...args], { cwd: folder });
}

describe('image-checker scan -o junit', () => {
  it('writes a case for each image, and a failure for each that is denied', async () => {
    const { code, stdout } = await scan('a b.yaml', '-o', 'junit');
    expect(code).toBe(EXIT.finding);
    expect(stdout).toContain('<testsuite name="a b.yaml" tests="3" failures="1" errors="0">');
    expect(stdout).toContain(
      '<testcase name="a/Pod/&lt;p&gt; spec.containers[0].image quay.io/x:1" classname="a b.yaml">\n' +
        '      <failure message="denied: registry quay.io is none of ',
    );
    expect(stdout).toMatch(/nginx:1" classname="a b.yaml"\/>/);
    expect(stdout).toMatch(/docker.io\/redis".*\n +<system-out>warned: tag latest/);
  });

  it.each([
    [
      'nginx.yaml',
      '<failure message="denied: ',
      ['denied q', 'allowed a, audit', 'warned w, warn'],
    ],
    ['volume.yaml', '<system-out>', ['allowed a, audit', 'warned q', 'warned w, warn']],
    ['glass.yaml', '<system-out>', ['allowed a, audit', 'warned q', 'warned w, warn']],
  ])('says of %s what each rule does, and first what denies', async (file, tag, expected) => {
    const { stdout } = await scan(file, '--rules', 'modes.yaml', '-o', 'junit');
    const text = stdout.slice(stdout.indexOf(tag)).replace(/message="[^"]*"/, '');
    const lines = [...text.matchAll(/(\w+): registry docker.io is forbidden \(rule (.*)\)/g)];
    expect(stdout).toContain(tag);
    expect(lines.map(([, effect, rule]) => `${effect} ${rule}`)).toEqual(expected);
  });

  it('writes an error for what cannot be read', async () => {
    const { code, stdout } = await scan('broken.yaml', '-o', 'junit');
    expect(code).toBe(EXIT.usage);
    expect(stdout).toContain('tests="1" failures="0" errors="1"');
    expect(stdout).toContain('<error message="broken.yaml:1:');
  });
});

interface SarifResult {
  readonly ruleId: string;
  readonly level: string;
  readonly partialFingerprints: object;
}

interface SarifLog {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: object };
    readonly invocations: readonly object[];
    readonly results: readonly SarifResult[];
  }[];
}

describe('image-checker scan -o sarif', () => {
  it('writes a result for each violation at its line', async () => {
    const log = JSON.parse((await scan('a b.yaml', '-o', 'sarif')).stdout) as SarifLog;
    const [run] = log.runs;
    expect(log.version).toBe('2.1.0');
    expect(run?.tool.driver).toEqual({
      name: 'image-checker',
      rules: [{ id: 'no-latest' }, { id: 'trusted-registries' }],
    });
    expect(run?.results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
      ['trusted-registries', 'error'],
      ['no-latest', 'warning'],
    ]);
    expect(run?.results[0]).toMatchObject({
      message: { text: expect.stringMatching(/^quay\.io\/x:1: .*: not trusted image!$/) },
      locations: [
        {
          physicalLocation: { artifactLocation: { uri: 'a%20b.yaml' }, region: { startLine: 5 } },
          logicalLocations: [{ fullyQualifiedName: 'a/Pod/<p>/spec.containers[0].image' }],
        },
      ],
    });
  });

  it.each([
    ['nginx.yaml', ['a note', 'q error', 'w warning']],
    ['volume.yaml', ['a note', 'q warning', 'w warning']],
    ['glass.yaml', ['a note', 'q warning', 'w warning']],
  ])('has for %s the level of what each rule does', async (file, expected) => {
    const { stdout } = await scan(file, '--rules', 'modes.yaml', '-o', 'sarif');
    const results = (JSON.parse(stdout) as SarifLog).runs[0]?.results;
    expect(results?.map(({ ruleId, level }) => `${ruleId} ${level}`)).toEqual(expected);
  });

  it('says that it was not successful when something could not be read', async () => {
    const log = JSON.parse((await scan('broken.yaml', '-o', 'sarif')).stdout) as SarifLog;
    expect(log.runs[0]?.invocations).toMatchObject([
      {
        executionSuccessful: false,
        toolExecutionNotifications: [{ level: 'error' }],
      },
    ]);
  });
});

describe('image-checker scan --diff', () => {
  it('shows what is newly denied and newly allowed', async () => {
    const { code, stdout } = await scan('a b.yaml', '--diff', 'old.yaml');
    expect(code).toBe(EXIT.finding);
    expect(stdout).toMatch(
      /^newly denied\na\/Pod\/<p> .*\n {2}denied {2}quay\.io\/x:1 .*\n.*not trusted image! \(rule trusted-registries\)\n\nnewly allowed, and why it was not before\n/,
    );
    expect(stdout).toContain('  allowed docker.io/nginx:1 ');
    expect(stdout).toContain('  warned  docker.io/redis ');
    expect(stdout).toContain('1 pod, 3 images: 1 newly denied, 2 newly allowed\n');
  });

  it('writes JSON, with the old violations of what is newly allowed', async () => {
    const { stdout } = await scan('a b.yaml', '--diff', 'old.yaml', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      summary: { pods: 1, images: 3, newlyDenied: 1, newlyAllowed: 2 },
      newlyDenied: [{ image: 'quay.io/x:1', verdict: 'denied' }],
      newlyAllowed: [
        { image: 'docker.io/nginx:1', violations: [{ rule: 'trusted-registries' }] },
        { image: 'docker.io/redis', violations: [{ rule: 'no-latest', mode: 'enforce' }, {}] },
      ],
    });
  });

  it.each(['table', 'json', 'junit', 'sarif'])(
    'ends well as %s without a change',
    async (format) => {
      const { code, stderr } = await scan('a b.yaml', '--diff', 'new.yaml', '-o', format);
      expect([code, stderr]).toEqual([EXIT.ok, '']);
    },
  );

  it('knows pods without containers that one of the two lets pass', async () => {
    const lax = await newFolder({
      'new.yaml': RULES,
      'old.yaml': RULES.replace('unmatchedImages: deny', 'emptyReviews: allow'),
    });
    const { code, stdout } = await call(
      ['scan', '--rules', 'new.yaml', '--diff', 'old.yaml', '-', '-o', 'json'],
      { cwd: lax, stdin: '{"kind":"Pod","spec":{}}' },
    );
    await removeFolder(lax);
    expect(code).toBe(EXIT.finding);
    expect(JSON.parse(stdout)).toMatchObject({ newlyDenied: [{ field: 'spec.containers' }] });
  });
});
