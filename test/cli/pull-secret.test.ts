import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { call, newFolder, removeFolder } from './call.ts';
import type { Called } from './call.ts';

const auth = (pair: string): { auth: string } => ({ auth: Buffer.from(pair).toString('base64') });
const CONFIG = {
  auths: {
    'https://index.docker.io/v1/': auth('me:hub'),
    'b.test:5000': auth('me:b'),
    'a.test/team': auth('me:team'),
    'a.test': auth('me:a'),
    'token.test': { identitytoken: 'hunter2' },
  },
  credHelpers: { 'helped.test': 'lab' },
};

let folder = '';
beforeAll(async () => {
  folder = await newFolder({
    'config.json': JSON.stringify(CONFIG),
    'two.json': JSON.stringify({ auths: { 'a.test': auth('me:a') }, HttpHeaders: {} }),
    'empty.json': '{"auths":{}}',
    'broken.json': 'hunter2',
    'bin/docker-credential-lab': `#!/bin/sh\necho '{"Username":"me","Secret":"helped"}'\n`,
    // Stands in for kubectl: it keeps what it was called with and what it read, and knows one account.
    'bin/kubectl': `#!/bin/sh
printf '%s\\n' "$*" >>"$LOG"
case "$*" in
  *apply*) cat >>"$LOG"; echo >>"$LOG"; echo applied ;;
  *get*) cat "$ACCOUNT" ;;
  *) echo patched ;;
esac
`,
    'account.json': '{"metadata":{"resourceVersion":"7"}}',
    'has-others.json': '{"metadata":{"resourceVersion":"7"},"imagePullSecrets":[{"name":"x"}]}',
    'has-it.json':
      '{"metadata":{"resourceVersion":"7"},"imagePullSecrets":[{"name":"image-pull"}]}',
    'failing/kubectl': '#!/bin/sh\necho "Error from server (NotFound): x" >&2\nexit 1\n',
  });
  for (const program of ['bin/docker-credential-lab', 'bin/kubectl', 'failing/kubectl']) {
    await chmod(join(folder, program), 0o700);
  }
});
afterAll(() => removeFolder(folder));

function pullSecret(
  args: readonly string[],
  bin = 'bin',
  account = 'account.json',
): Promise<Called> {
  const path = `${join(folder, bin)}:${process.env['PATH'] ?? ''}`;
  const env = {
    DOCKER_CONFIG: folder,
    PATH: path,
    LOG: join(folder, 'log'),
    ACCOUNT: join(folder, account),
  };
  return call(['pull-secret', ...args], { cwd: folder, env });
}

interface Printed {
  readonly secrets: readonly { readonly data: { readonly '.dockerconfigjson': string } }[];
}

/** The credentials in the first secret, as `user:password` by their key. */
function authsIn(stdout: string): Record<string, string> {
  const { secrets } = JSON.parse(stdout) as Printed;
  const text = Buffer.from(secrets[0]?.data['.dockerconfigjson'] ?? '', 'base64').toString();
  const { auths } = JSON.parse(text) as { auths: Record<string, { auth: string }> };
  const decoded = Object.entries(auths).map(([key, entry]) => [
    key,
    Buffer.from(entry.auth, 'base64').toString(),
  ]);
  return Object.fromEntries(decoded) as Record<string, string>;
}

/** Adds to what is there, whatever that is: no patch alone does. */
function commandFor(secret: string, account: string, namespace: string): string {
  const place = `serviceaccount ${account} --namespace ${namespace}`;
  const patch =
    '{"metadata":{"resourceVersion":"{{.metadata.resourceVersion}}"},"imagePullSecrets":[' +
    `{{range .imagePullSecrets}}{{if ne .name "${secret}"}}{"name":{{printf "%q" .name}}},{{end}}{{end}}` +
    `{"name":"${secret}"}]}`;
  return `kubectl patch ${place} --type merge --patch "$(kubectl get ${place} --output go-template='${patch}')"`;
}

describe('pull-secret', () => {
  it.each([
    ['a host', ['b.test:5000'], { 'b.test:5000': 'me:b' }],
    ['the Hub', ['docker.io'], { 'https://index.docker.io/v1/': 'me:hub' }],
    ['all of a host', ['a.test'], { 'a.test': 'me:a', 'a.test/team': 'me:team' }],
    ['a helper', ['helped.test'], { 'helped.test': 'me:helped' }],
  ])('holds the credentials of %s', async (_title, registries, expected) => {
    const args = registries.flatMap((registry) => ['--registry', registry]);
    const { code, stdout } = await pullSecret([...args, '-o', 'json']);
    expect(code).toBe(0);
    expect(authsIn(stdout)).toEqual(expected);
  });

  it('holds all there are when none is named', async () => {
    const { stdout } = await pullSecret(['--docker-config', 'two.json', '-o', 'json']);
    expect(authsIn(stdout)).toEqual({ 'a.test': 'me:a' });
  });

  it('is printed for each namespace, as YAML for kubectl, and always the same', async () => {
    const args = [
      '--registry',
      'b.test:5000',
      '-n',
      'dev',
      '-n',
      'test',
      '-n',
      'dev',
      '--name',
      'pull',
    ];
    const { code, stdout } = await pullSecret(args);
    expect(code).toBe(0);
    const documents = parseAllDocuments(stdout).map((each) => each.toJS() as unknown);
    expect(documents).toMatchObject([
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'pull', namespace: 'dev' },
        type: 'kubernetes.io/dockerconfigjson',
      },
      { metadata: { name: 'pull', namespace: 'test' } },
    ]);
    expect(stdout).toContain(`#   ${commandFor('pull', 'default', 'test')}\n`);
    expect(stdout).not.toContain('/imagePullSecrets/-');
    expect((await pullSecret(args)).stdout).toBe(stdout);
  });

  it('says in JSON how each service account gets it', async () => {
    const args = ['--registry', 'b.test:5000', '-n', 'dev', '-n', 'test', '-o', 'json'];
    const { stdout } = await pullSecret([...args, '--service-account', 'builder']);
    const attachment = { serviceAccount: 'builder', secret: 'image-pull' };
    expect(JSON.parse(stdout)).toMatchObject({
      attachments: ['dev', 'test'].map((namespace) => ({
        ...attachment,
        namespace,
        command: commandFor('image-pull', 'builder', namespace),
      })),
    });
  });

  it.each([
    [
      'has none',
      'account.json',
      '{"op":"add","path":"/imagePullSecrets","value":[{"name":"image-pull"}]}',
    ],
    [
      'has others',
      'has-others.json',
      '{"op":"add","path":"/imagePullSecrets/-","value":{"name":"image-pull"}}',
    ],
  ])(
    'is given to kubectl, by its standard input alone, for an account that %s',
    async (_title, account, add) => {
      await writeFile(join(folder, 'log'), '');
      const args = ['--registry', 'b.test:5000', '-n', 'dev', '--service-account', 'builder'];
      const all = [...args, '--apply', '--kubeconfig', 'k'];
      const { code, stdout } = await pullSecret(all, 'bin', account);
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'applied\npatched\n' });
      const log = (await readFile(join(folder, 'log'), 'utf8')).split('\n');
      const secret: unknown = JSON.parse(log[1] ?? '');
      expect(secret).toMatchObject({ kind: 'Secret', metadata: { namespace: 'dev' } });
      const kubectl = `--kubeconfig ${join(folder, 'k')}`;
      const place = 'serviceaccount builder --namespace dev';
      const isSame = '{"op":"test","path":"/metadata/resourceVersion","value":"7"}';
      expect(log.toSpliced(1, 1)).toEqual([
        `${kubectl} apply --server-side --force-conflicts --field-manager=image-checker -f -`,
        `${kubectl} get ${place} --output json`,
        `${kubectl} patch ${place} --type json --patch [${isSame},${add}]`,
        '',
      ]);
    },
  );

  it('leaves an account alone that has it', async () => {
    const { stdout } = await pullSecret(['--registry', 'a.test', '--apply'], 'bin', 'has-it.json');
    expect(stdout).toBe('applied\nserviceaccount/default unchanged\n');
  });

  it.each([
    [
      'a registry without credentials',
      ['--registry', 'c.test'],
      'expected credentials for c.test, got none',
    ],
    [
      'an identity token',
      ['--registry', 'token.test'],
      'got an identity token, which no kubelet can use',
    ],
    [
      'a file without credentials',
      ['--docker-config', 'empty.json'],
      'expected credentials, got none',
    ],
    ['a file that is no JSON', ['--docker-config', 'broken.json'], 'broken.json: expected JSON'],
    [
      'a file that is not there',
      ['--docker-config', 'absent.json'],
      'cannot be read: no such file',
    ],
    ['a namespace that is none', ['-n', 'A'], 'expected the name of a namespace'],
    ['a name that is none', ['--name', "x'; rm"], 'expected a name of Kubernetes'],
    [
      'a service account that is none',
      ['--service-account', '-x'],
      'expected a name of Kubernetes',
    ],
  ])('is refused for %s', async (_title, args, message) => {
    const { code, stdout, stderr } = await pullSecret(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('hunter2');
  });

  it('says what kubectl said when it fails', async () => {
    const { code, stderr } = await pullSecret(['--registry', 'a.test', '--apply'], 'failing');
    expect(code).toBe(2);
    expect(stderr).toContain(
      'expected kubectl apply to succeed, got Error from server (NotFound): x',
    );
  });

  it('says so when there is no kubectl', async () => {
    const { code, stderr } = await call(['pull-secret', '--registry', 'a.test', '--apply'], {
      env: { DOCKER_CONFIG: folder, PATH: '/absent' },
    });
    expect(code).toBe(2);
    expect(stderr).toContain('expected kubectl in PATH, got none');
  });
});
