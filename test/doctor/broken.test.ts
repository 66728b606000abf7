import { chmod, chown, copyFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CheckId } from '../../src/doctor/finding.ts';
import { removePlace } from '../setup/support.ts';
import { CA, encrypt, filesOf, make, NAMES, replaceLeaf, RSA, SERVER } from './openssl.ts';
import { edit, examineNode, faultsOf, manifestOf, newNode, podOf, VERSION } from './place.ts';
import type { Node } from './place.ts';

let node: Node;

beforeEach(async () => {
  node = await newNode();
});

afterEach(async () => {
  await removePlace(node);
});

type Break = (node: Node) => void | Promise<void>;
type Row = readonly [title: string, id: CheckId, breaking: Break];

const inManifest =
  (what: string | RegExp, by: string): Break =>
  ({ manifest }) =>
    edit(manifest, what, by);
const inAdmission =
  (what: string | RegExp, by: string): Break =>
  ({ dir }) =>
    edit(join(dir, 'admission_config.yaml'), what, by);
const inKubeconf =
  (what: string | RegExp, by: string): Break =>
  ({ dir }) =>
    edit(join(dir, 'kubeconf'), what, by);
const inService =
  (file: string, what: string | RegExp, by: string): Break =>
  ({ serviceDir }) =>
    edit(join(serviceDir, file), what, by);
const beside =
  (name: string, text?: string): Break =>
  ({ manifests, dir }) =>
    writeFile(join(manifests, name), text ?? manifestOf(dir));

const MANIFEST: readonly Row[] = [
  ['the manifest is gone', 'manifest-readable', ({ manifest }) => rm(manifest)],
  ['the manifest is garbled', 'manifest-readable', inManifest(/^[^]*$/, '{"kind": ')],
  ['the manifest is of another pod', 'manifest-readable', inManifest('- kube-apiserver', '- etcd')],
  [
    'the manifest is a folder',
    'manifest-readable',
    async ({ manifest }) => {
      await rm(manifest);
      await mkdir(manifest);
    },
  ],
  [
    'the manifest is a link to nowhere',
    'manifest-readable',
    async ({ manifest }) => {
      await rm(manifest);
      await symlink('/nowhere/kube-apiserver.yaml', manifest);
    },
  ],
  ['the plugin is not enabled', 'manifest-plugin-enabled', inManifest(',ImagePolicyWebhook', '')],
  [
    'the plugin is misspelt',
    'manifest-plugin-enabled',
    inManifest('ImagePolicyWebhook', 'ImagePolicyWebHook'),
  ],
  [
    'the plugin is enabled twice',
    'manifest-plugin-once',
    inManifest('ImagePolicyWebhook', 'ImagePolicyWebhook,ImagePolicyWebhook'),
  ],
  [
    'the plugin is disabled too',
    'manifest-plugin-not-disabled',
    inManifest(
      '    - --secure',
      '    - --disable-admission-plugins=ImagePolicyWebhook\n    - --secure',
    ),
  ],
  [
    'a flag is misspelt',
    'manifest-flag-spelling',
    inManifest('--enable-admission-plugins', '--enable-admission-plugin'),
  ],
  [
    'a flag has one dash',
    'manifest-flag-spelling',
    inManifest('--enable-admission-plugins', '-enable-admission-plugins'),
  ],
  [
    'the plugins stand with blanks',
    'manifest-readable',
    inManifest('NodeRestriction,', 'NodeRestriction, '),
  ],
  [
    'no admission configuration is named',
    'manifest-config-flag',
    inManifest(/ {4}- --admission-control.*\n/, ''),
  ],
  [
    'two admission configurations are named',
    'manifest-config-flag-once',
    inManifest(
      '    - --admission-c',
      '    - --admission-control-config-file=/a\n    - --admission-c',
    ),
  ],
  [
    'a backup lies beside the manifest',
    'manifest-folder-duplicates',
    beside('kube-apiserver.yaml.bak'),
  ],
  ['a copy with another name lies there', 'manifest-folder-duplicates', beside('old.yaml')],
  [
    'a backup of another pod lies there',
    'manifest-folder-duplicates',
    beside('etcd.yaml~', podOf('etcd', 'registry.k8s.io/etcd:3.5.12-0')),
  ],
  ['a file that is no pod lies there', 'manifest-folder-strays', beside('notes.txt', 'remember')],
];

const MOUNTS: readonly Row[] = [
  [
    'the folder is not mounted',
    'mount-present',
    inManifest(/ {4}- mountPath: \S+admission\n.*\n.*\n/, ''),
  ],
  [
    'the folder is mounted from elsewhere',
    'mount-source',
    inManifest(/ {6}path: \S+admission\n/, '      path: /etc/kubernetes/admision\n'),
  ],
  [
    'a file is a link to what is not mounted',
    'mount-links',
    async ({ dir, root }) => {
      await rename(join(dir, 'kubeconf'), join(root, 'kubeconf'));
      await symlink(join(root, 'kubeconf'), join(dir, 'kubeconf'));
    },
  ],
  [
    'a file is a link by a folder that is a link out of what is mounted',
    'mount-links',
    async ({ dir, root }) => {
      await mkdir(join(root, 'tls'));
      await rename(join(dir, 'external-cert.pem'), join(root, 'tls/ca.pem'));
      await symlink('../tls', join(dir, 'tls'));
      await symlink('tls/ca.pem', join(dir, 'external-cert.pem'));
    },
  ],
  [
    'the mount names a volume that is not there',
    'mount-valid',
    inManifest('      name: k8s-certs', '      name: k8s-cert'),
  ],
  [
    'a path is mounted twice',
    'mount-valid',
    inManifest(
      '    volumeMounts:',
      '    volumeMounts:\n    - { mountPath: /etc/kubernetes/pki, name: k8s-certs, readOnly: true }',
    ),
  ],
  [
    'the mount is writable',
    'mount-read-only',
    inManifest('admission\n      readOnly: true', 'admission\n      readOnly: false'),
  ],
  ['the volume is of another type', 'mount-type', inManifest('type: Directory\n', 'type: File\n')],
  [
    "the service's folder is mounted too",
    'service-folder-mounted',
    async ({ manifest, serviceDir }) => {
      await edit(
        manifest,
        '    volumeMounts:',
        `    volumeMounts:\n    - { mountPath: ${serviceDir}, name: s, readOnly: true }`,
      );
      await edit(
        manifest,
        '  volumes:',
        `  volumes:\n  - { name: s, hostPath: { path: ${serviceDir} } }`,
      );
    },
  ],
];

const ADMISSION: readonly Row[] = [
  [
    'the admission configuration is gone',
    'admission-readable',
    ({ dir }) => rm(join(dir, 'admission_config.yaml')),
  ],
  ['it is garbled', 'admission-readable', inAdmission('plugins:', 'plugins: {')],
  ['it holds a key twice', 'admission-readable', inAdmission('kind:', 'kind: a\nkind:')],
  ['it is a list', 'admission-readable', inAdmission(/^[^]*$/, '[]')],
  ['its apiVersion is another', 'admission-api-version', inAdmission('k8s.io/v1', 'k8s.io/v2')],
  ['its kind is another', 'admission-kind', inAdmission('kind: Adm', 'kind: Add')],
  [
    'it has an unknown key',
    'admission-unknown-key',
    inAdmission('plugins:', 'plugin: []\nplugins:'),
  ],
  ['its key is misspelt', 'admission-unknown-key', inAdmission('plugins:', 'plugin:')],
  ['its plugin is misspelt', 'admission-plugin', inAdmission('name: ImageP', 'name: Imagep')],
  [
    'it is for another plugin',
    'admission-plugin',
    inAdmission('ImagePolicyWebhook', 'PodSecurity'),
  ],
  [
    'it configures the plugin twice',
    'admission-plugin-once',
    inAdmission(/$/, '  - name: ImagePolicyWebhook\n'),
  ],
  [
    'it says nothing for the plugin',
    'admission-configuration',
    inAdmission(/ {4}configuration:[^]*$/, ''),
  ],
  [
    'imagePolicy is misspelt',
    'admission-configuration',
    inAdmission('imagePolicy:', 'imagePolcy:'),
  ],
  [
    'it names a file that is not there',
    'admission-path-file',
    inAdmission(/ {4}configuration:[^]*$/, '    path: plugin.yaml\n'),
  ],
  ['a value is misspelt', 'image-policy-unknown-key', inAdmission('defaultAllow:', 'defaultAlow:')],
  ['no kubeconf is named', 'image-policy-kubeconfig-file', inAdmission(/kubeConfigFile: .*/, '')],
  [
    'the kubeconf has a relative path',
    'image-policy-kubeconfig-file',
    inAdmission(/kubeConfigFile: .*/, 'kubeConfigFile: kubeconf'),
  ],
  ['allowTTL is too long', 'image-policy-allow-ttl', inAdmission('allowTTL: 50', 'allowTTL: 1801')],
  ['denyTTL is below -1', 'image-policy-deny-ttl', inAdmission('denyTTL: 50', 'denyTTL: -2')],
  ['denyTTL is a text', 'image-policy-deny-ttl', inAdmission('denyTTL: 50', 'denyTTL: 50s')],
  [
    'retryBackoff is too long',
    'image-policy-retry-backoff',
    inAdmission('retryBackoff: 500', 'retryBackoff: 300001'),
  ],
  ['it fails open', 'image-policy-default-allow', inAdmission(/Allow: false$/m, 'Allow: true')],
  [
    'defaultAllow is a text',
    'image-policy-default-allow',
    inAdmission(/Allow: false$/m, 'Allow: "false"'),
  ],
];

const KUBECONF: readonly Row[] = [
  ['the kubeconf is gone', 'kubeconf-readable', ({ dir }) => rm(join(dir, 'kubeconf'))],
  ['the kubeconf is garbled', 'kubeconf-readable', inKubeconf('clusters:', 'clusters: [')],
  ['its kind is another', 'kubeconf-kind', inKubeconf('kind: Config', 'kind: ConfigMap')],
  ['it has no current context', 'kubeconf-current-context', inKubeconf(/current-context.*/, '')],
  [
    'its context is not there',
    'kubeconf-context',
    inKubeconf('current-context: i', 'current-context: j'),
  ],
  ['its cluster is not there', 'kubeconf-cluster', inKubeconf('cluster: image', 'cluster: img')],
  ['its user is not there', 'kubeconf-user', inKubeconf('user: api-server', 'user: apiserver')],
  ['it asks without TLS', 'kubeconf-server', inKubeconf('https://127', 'http://127')],
  ['it asks at another path', 'kubeconf-path', inKubeconf('/check-image', '/check')],
  ['it asks at another port', 'kubeconf-port', inKubeconf(':1234', ':1235')],
  [
    'it goes by a proxy',
    'kubeconf-proxy',
    inKubeconf('server:', 'proxy-url: http://p:1\n      server:'),
  ],
  [
    'it does not verify the service',
    'kubeconf-insecure',
    inKubeconf(/certificate-authority: .*/, 'insecure-skip-tls-verify: true'),
  ],
  ['it names no CA', 'kubeconf-ca', inKubeconf(/ {6}certificate-authority: .*\n/, '')],
  [
    'a key is misspelt',
    'kubeconf-unknown-key',
    inKubeconf('certificate-authority:', 'certificate-authorty:'),
  ],
  ['it has no client key', 'kubeconf-client-certificate', inKubeconf(/client-key: .*/, '')],
  [
    'its data is no base64',
    'kubeconf-data',
    inKubeconf(/certificate-authority: .*/, 'certificate-authority-data: "%"'),
  ],
  [
    'a file that it names is gone',
    'kubeconf-files',
    ({ dir }) => rm(join(dir, 'external-cert.pem')),
  ],
  [
    'a relative path leads nowhere',
    'kubeconf-files',
    inKubeconf(/certificate-authority: .*/, 'certificate-authority: pki/external-cert.pem'),
  ],
];

const CERTIFICATES: readonly Row[] = [
  [
    'a certificate is garbled',
    'certificate-readable',
    ({ dir }) => edit(join(dir, 'external-cert.pem'), /MII\w{5}/, 'AAAAAAAA'),
  ],
  [
    'a certificate file is empty',
    'certificate-readable',
    inService('server-cert.pem', /^[^]*$/, ''),
  ],
  [
    'a key has a passphrase',
    'certificate-readable',
    (n) => {
      encrypt(filesOf(n, 'server')[1]);
    },
  ],
  [
    'the server key is gone',
    'certificate-readable',
    ({ serviceDir }) => rm(join(serviceDir, 'server-key.pem')),
  ],
  [
    'the server certificate has ended',
    'certificate-valid',
    (n) => {
      replaceLeaf(n, 'server', { days: -1 });
    },
  ],
  [
    'the client certificate has ended',
    'certificate-valid',
    (n) => {
      replaceLeaf(n, 'client', { days: -1 });
    },
  ],
  [
    'the server certificate ends soon',
    'certificate-ending',
    (n) => {
      replaceLeaf(n, 'server', { days: 20 });
    },
  ],
  [
    'the client key belongs to another certificate',
    'certificate-key',
    (n) => copyFile(filesOf(n, 'server')[1], filesOf(n, 'client')[1]),
  ],
  [
    'the server certificate is by another CA',
    'certificate-server-chain',
    (n) => {
      replaceLeaf(n, 'server', { issuer: otherCa(n) });
    },
  ],
  [
    'the client certificate is by another CA',
    'certificate-client-chain',
    (n) => {
      replaceLeaf(n, 'client', { issuer: otherCa(n) });
    },
  ],
  [
    'the client CA is not a CA',
    'certificate-ca',
    (n) => {
      const key = join(n.root, 'leaf-ca.key');
      const certificate = join(n.serviceDir, 'client-ca.pem');
      make(certificate, key, { name: 'ca', extensions: ['basicConstraints=CA:FALSE'] });
      replaceLeaf(n, 'client', { issuer: { certificate, key } });
    },
  ],
  [
    'the server certificate has a common name alone',
    'certificate-names',
    (n) => {
      replaceLeaf(n, 'server', { name: '127.0.0.1', extensions: ['extendedKeyUsage=serverAuth'] });
    },
  ],
  [
    'the server certificate is for another host',
    'certificate-host',
    (n) => {
      replaceLeaf(n, 'server', { extensions: ['subjectAltName=DNS:other.example.com'] });
    },
  ],
  [
    'the server certificate is for clients',
    'certificate-usage',
    (n) => {
      replaceLeaf(n, 'server', { extensions: ['extendedKeyUsage=clientAuth', NAMES] });
    },
  ],
  [
    'the client certificate is for servers',
    'certificate-usage',
    (n) => {
      replaceLeaf(n, 'client', { extensions: SERVER });
    },
  ],
  [
    'the server certificate is signed over SHA-1',
    'certificate-signature',
    (n) => {
      replaceLeaf(n, 'server', { digest: 'sha1' });
    },
  ],
  [
    'the server key is small',
    'certificate-key-size',
    (n) => {
      replaceLeaf(n, 'server', { key: RSA(1024) });
    },
  ],
  ['others may read the client key', 'file-mode', (n) => chmod(filesOf(n, 'client')[1], 0o644)],
  [
    'others may write the CA',
    'file-mode',
    ({ dir }) => chmod(join(dir, 'external-cert.pem'), 0o666),
  ],
  [
    'the CA key lies where it is mounted',
    'ca-key-exposed',
    ({ serviceDir, dir }) => rename(join(serviceDir, 'pki/ca-key.pem'), join(dir, 'ca-key.pem')),
  ],
  [
    'the folder of the CA lies where it is mounted',
    'ca-key-exposed',
    ({ serviceDir, dir }) => rename(join(serviceDir, 'pki'), join(dir, 'pki')),
  ],
];

const REST: readonly Row[] = [
  [
    "the service's config is gone",
    'service-config',
    ({ serviceDir }) => rm(join(serviceDir, 'config.yaml')),
  ],
  [
    'the config has an unknown key',
    'service-config',
    inService('config.yaml', 'listen:', 'listn:'),
  ],
  [
    'the credentials for registries are not there',
    'service-registries',
    inService('config.yaml', 'rules:', 'registries: { credentials: [absent.json] }\nrules:'),
  ],
  [
    'the service does not know the client by name',
    'service-client-name',
    (n) => {
      replaceLeaf(n, 'client', { name: 'somebody' });
    },
  ],
  ['the rules are gone', 'rules-valid', ({ serviceDir }) => rm(join(serviceDir, 'rules.yaml'))],
  ['a rule is misspelt', 'rules-valid', inService('rules.yaml', 'require:', 'requires:')],
  [
    'the rules deny the cluster its own images',
    'rules-kube-system',
    inService('rules.yaml', / {10}- registry\.k8s\.io\n[^]*$/, ''),
  ],
  [
    'the rules name a key that is not there',
    'rules-valid',
    inService(
      'rules.yaml',
      'explicitRegistry: true\n',
      'explicitRegistry: true\n        signatures: [{ keys: [absent.pub] }]\n',
    ),
  ],
  [
    'the rules name an image by mistake',
    'rules-warning',
    inService('rules.yaml', "['registry.k8s.io/**',", "['quay.io', 'registry.k8s.io/**',"),
  ],
  [
    'the image has no version',
    'version-known',
    inManifest(`apiserver:${VERSION}`, 'apiserver:latest'),
  ],
  [
    'the version has CVE-2023-2727',
    'version-cve-2023-2727',
    inManifest(`apiserver:${VERSION}`, 'apiserver:v1.26.5'),
  ],
  [
    'the version has image volumes',
    'version-image-volumes',
    inManifest(`apiserver:${VERSION}`, 'apiserver:v1.33.0'),
  ],
];

function otherCa({ root }: Node): { readonly certificate: string; readonly key: string } {
  const files = { certificate: join(root, 'other.pem'), key: join(root, 'other.key') };
  make(files.certificate, files.key, { name: 'other', extensions: CA });
  return files;
}

describe('the doctor finds one fault, and no other', () => {
  it.each([...MANIFEST, ...MOUNTS, ...ADMISSION, ...KUBECONF, ...CERTIFICATES, ...REST])(
    'where %s: %s',
    async (_title, id, breaking) => {
      await breaking(node);
      expect(faultsOf(await examineNode(node))).toEqual([id]);
    },
  );

  it('where a key is owned by another user: file-owner', async () => {
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await chown(filesOf(node, 'client')[1], 12_345, 0);
    // Not being root, nobody can give files away: look at them as somebody else.
    expect(faultsOf(await examineNode(node, {}, { uid: isRoot ? 0 : 12_345 }))).toEqual([
      'file-owner',
    ]);
  });
});
