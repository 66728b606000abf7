import { describe, expect, it } from '@jest/globals';
import { ImageCheckerError } from '../../src/errors.ts';
import { inspectKubeconf } from '../../src/kubeconf/inspect.ts';
import { loadPem, readKubeconf } from '../../src/kubeconf/read-kubeconf.ts';
import { renderKubeconf } from '../../src/setup/kubeconf.ts';

const FILE = '/etc/kubernetes/admission/kubeconf';
const GOOD = renderKubeconf({ mounted: '/etc/kubernetes/admission', host: '::1', port: 1234 });

/** A kubeconfig with one thing replaced. */
function broken(what: string | RegExp, by: string): string {
  const text = GOOD.replace(what, by);
  if (text === GOOD) throw new Error(`expected ${String(what)} in the kubeconf, got none`);
  return text;
}

describe('a kubeconfig', () => {
  it('as setup writes it is read whole', () => {
    expect(readKubeconf(GOOD, FILE)).toEqual({
      context: 'image-checker',
      server: new URL('https://[::1]:1234/check-image'),
      tlsServerName: undefined,
      insecureSkipTlsVerify: false,
      proxyUrl: undefined,
      ca: { file: '/etc/kubernetes/admission/external-cert.pem' },
      clientCertificate: { file: '/etc/kubernetes/admission/apiserver-client-cert.pem' },
      clientKey: { file: '/etc/kubernetes/admission/apiserver-client-key.pem' },
      token: undefined,
      tokenFile: undefined,
      otherCredentials: [],
    });
  });

  it('as kubeadm writes admin.conf is read with its data decoded', async () => {
    const data = (text: string): string => Buffer.from(text).toString('base64');
    const text = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      preferences: {},
      clusters: [
        {
          name: 'kubernetes',
          cluster: { server: 'https://10.0.0.1:6443', 'certificate-authority-data': data('ca') },
        },
      ],
      users: [
        {
          name: 'kubernetes-admin',
          user: {
            'client-certificate-data': data('cert'),
            'client-certificate': 'not-this',
            'client-key-data': data('key'),
          },
        },
      ],
      contexts: [
        { name: 'a@b', context: { cluster: 'kubernetes', user: 'kubernetes-admin' } },
        { name: 'other', context: { cluster: 'none', user: 'none' } },
      ],
      'current-context': 'a@b',
    });
    const { ca, clientCertificate, clientKey, server } = readKubeconf(text, 'admin.conf');
    expect([ca, clientCertificate, clientKey]).toEqual([
      { pem: 'ca' },
      { pem: 'cert' },
      { pem: 'key' },
    ]);
    expect(server.href).toBe('https://10.0.0.1:6443/');
    expect(await loadPem({ pem: 'ca' })).toBe('ca');
  });

  it('resolves relative paths to its own folder, or to the one that it is told', () => {
    const text = broken('/etc/kubernetes/admission/external-cert.pem', '../pki/ca.pem');
    expect(readKubeconf(text, FILE).ca).toEqual({ file: '/etc/kubernetes/pki/ca.pem' });
    expect(readKubeconf(text, FILE, '/in/container').ca).toEqual({ file: '/in/pki/ca.pem' });
  });

  it('takes of two entries with one name the last, as client-go does', () => {
    const text = broken(
      '\nusers:',
      '\n  - name: image-checker\n    cluster: { server: "https://second:1" }\nusers:',
    );
    expect(readKubeconf(text, FILE).server.href).toBe('https://second:1/');
  });

  it('may leave out what client-go takes for granted', () => {
    const text = broken('apiVersion: v1\nkind: Config\n', '');
    expect(readKubeconf(text, FILE).context).toBe('image-checker');
  });

  it.each([
    ['that is empty', /^[^]*$/, '', 'syntax'],
    ['that is a list', /^[^]*$/, '[]', 'syntax'],
    ['that is no YAML', 'kind: Config', 'kind: Config: Pod', 'syntax'],
    ['with a key twice', 'kind: Config', 'kind: Config\nkind: Config', 'syntax'],
    ['with a second document', /$/, '---\nkind: Config\n', 'syntax'],
    ['with a number for a name', 'name: image-checker', 'name: 1', 'syntax'],
    ['of another kind', 'kind: Config', 'kind: ConfigMap', 'kind'],
    ['of another version', 'apiVersion: v1', 'apiVersion: v2', 'kind'],
    ['without current-context', /current-context.*\n/, '', 'current-context'],
    [
      'with an empty current-context',
      /current-context: .*/,
      'current-context: ""',
      'current-context',
    ],
    ['whose context is not there', 'current-context: image', 'current-context: other', 'context'],
    ['whose cluster is not there', 'cluster: image-checker', 'cluster: image-cheker', 'cluster'],
    ['whose context names no cluster', '      cluster: image-checker\n', '', 'cluster'],
    ['whose user is not there', 'user: api-server', 'user: apiserver', 'user'],
    ['without a server', /server: .*/, '', 'server'],
    ['with a server of another kind', 'https://[', 'ftp://[', 'server'],
    ['with a server that is no URL', 'https://[::1]:1234/check-image', '127.0.0.1', 'server'],
    [
      'with data that is no base64',
      'certificate-authority: ',
      'certificate-authority-data: ',
      'data',
    ],
    ['with a certificate without its key', /client-key: .*/, '', 'key-pair'],
    ['with a key without its certificate', /client-certificate: .*/, '', 'key-pair'],
    [
      'that both verifies and does not',
      '      server: ',
      '      insecure-skip-tls-verify: true\n      server: ',
      'insecure-with-ca',
    ],
  ])('%s is refused', (_title, what, by, id) => {
    const text = broken(what, by);
    expect(inspectKubeconf({ file: FILE, text }).issues.map((issue) => issue.id)).toEqual([id]);
    expect(codeOf(() => readKubeconf(text, FILE))).toBe('kubeconfig-invalid');
  });

  it('names a misspelt key, which client-go passes over', () => {
    const text = broken('certificate-authority:', 'certificate-authorty:');
    expect(inspectKubeconf({ file: FILE, text }).issues).toEqual([
      {
        id: 'unknown-key',
        harmless: true,
        problem: {
          file: FILE,
          line: 11,
          column: 7,
          message: 'unknown key "certificate-authorty", which is passed over',
          hint: 'did you mean "certificate-authority"?',
        },
      },
    ]);
    expect(readKubeconf(text, FILE).ca).toBeUndefined();
  });

  it('tells everything that is wrong, with line and column', () => {
    const text = broken(/client-key: .*/, '').replace('kind: Config', 'kind: Pod');
    expect(messageOf(() => readKubeconf(text, FILE))).toBe(
      `${FILE}:4:7: kind: expected Config, got "Pod"\n` +
        `${FILE}:19:5: expected client-certificate and client-key together, got no client-key`,
    );
  });

  it('names the file that it needs and that is not there', async () => {
    const loading = loadPem({ file: '/absent.pem' }, (path) => `/nowhere${path}`);
    await expect(loading).rejects.toMatchObject({
      code: 'file-unreadable',
      problems: [{ file: '/nowhere/absent.pem' }],
    });
  });
});

function thrownBy(action: () => unknown): ImageCheckerError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof ImageCheckerError) return thrown;
  }
  throw new Error('expected an ImageCheckerError, got none');
}

const codeOf = (action: () => unknown): string => thrownBy(action).code;
const messageOf = (action: () => unknown): string => thrownBy(action).message;
