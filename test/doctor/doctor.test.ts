import { copyFile, mkdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removePlace } from '../setup/support.ts';
import { CA, CLIENT, make, SERVER } from './openssl.ts';
import { edit, examineNode, faultsOf, manifestOf, newNode, VERSION } from './place.ts';
import type { Node } from './place.ts';

let node: Node;

beforeEach(async () => {
  node = await newNode();
});

afterEach(async () => {
  await removePlace(node);
});

describe('the doctor', () => {
  it('finds nothing wrong with what setup makes and a manifest that has it', async () => {
    const findings = await examineNode(node);
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(new Set(findings.map(({ group }) => group)).size).toBeGreaterThanOrEqual(6);
  });

  it('looks at texts that are planned instead of what lies there', async () => {
    const file = `${node.dir}/admission_config.yaml`;
    await edit(file, 'allowTTL: 50', 'allowTTL: 5000');
    expect(faultsOf(await examineNode(node))).toEqual(['image-policy-allow-ttl']);
    const text = 'kind: Pod';
    expect(faultsOf(await examineNode(node, { manifest: { file: node.manifest, text } }))).toEqual([
      'manifest-readable',
      'image-policy-allow-ttl',
    ]);
  });
});

describe('the doctor', () => {
  it('finds nothing wrong with ECDSA certificates of openssl, in the names of cert-manager', async () => {
    const certificate = join(node.root, 'ca.pem');
    const key = join(node.root, 'ca.key');
    make(certificate, key, { name: 'ca', extensions: CA });
    const at = (side: string, name: string): string => join(node.root, side, name);
    for (const side of ['client', 'server'] as const) {
      await mkdir(join(node.root, side));
      make(at(side, 'tls.crt'), at(side, 'tls.key'), {
        name: 'api-server',
        extensions: side === 'server' ? SERVER : CLIENT,
        issuer: { certificate, key },
      });
      await copyFile(certificate, at(side, 'ca.crt'));
    }
    await rename(at('client', ''), join(node.dir, 'tls'));
    const kubeconf = join(node.dir, 'kubeconf');
    await edit(kubeconf, /certificate-authority: .*/, 'certificate-authority: tls/ca.crt');
    await edit(kubeconf, /client-certificate: .*/, 'client-certificate: tls/tls.crt');
    await edit(kubeconf, /client-key: .*/, 'client-key: tls/tls.key');
    const config = join(node.serviceDir, 'config.yaml');
    await edit(config, /certificate: .*/, `certificate: ${at('server', 'tls.crt')}`);
    await edit(config, / key: .*/, ` key: ${at('server', 'tls.key')}`);
    await edit(config, /clientCA: .*/, `clientCA: ${at('server', 'ca.crt')}`);
    const findings = await examineNode(node);
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(findings.filter(({ id }) => id.endsWith('-chain')).length).toBe(2);
  });

  it('maps the paths of the kubeconf by the mounts of the manifest', async () => {
    const other = await newNode({ mountPath: '/etc/kubernetes/other' });
    try {
      const mounted = (text: string): string => text.replace(other.dir, '/etc/kubernetes/other');
      const before = manifestOf(other.dir);
      const flag = before.replace(`file=${other.dir}`, 'file=/etc/kubernetes/other');
      const text = flag.replace(/mountPath: \S+admission\n/, mounted);
      const findings = await examineNode(other, { manifest: { file: other.manifest, text } });
      expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    } finally {
      await removePlace(other);
    }
  });

  it('follows links within what is mounted, as a volume of a Secret has them', async () => {
    await mkdir(join(node.dir, '..2026'));
    await symlink('..2026', join(node.dir, '..data'));
    for (const name of ['kubeconf', 'external-cert.pem']) {
      await rename(join(node.dir, name), join(node.dir, '..2026', name));
      await symlink(`..data/${name}`, join(node.dir, name));
    }
    expect(faultsOf(await examineNode(node))).toEqual([]);
  });

  it('warns of a kube-apiserver that asks about no ephemeral containers, and says what to do', async () => {
    await edit(node.manifest, `apiserver:${VERSION}`, 'apiserver:v1.26.5');
    const found = async (strict: boolean): Promise<unknown> =>
      (await examineNode(node, { strict })).filter(({ status }) => status !== 'ok');
    const id = 'version-cve-2023-2727';
    const fix = 'upgrade to 1.24.15, 1.25.11, 1.26.6, 1.27.3 or newer';
    expect(await found(false)).toMatchObject([{ id, status: 'warn', fix }]);
    expect(await found(true)).toMatchObject([{ id, status: 'fail', fix }]);
  });

  it('makes failures of warnings when it is strict', async () => {
    await edit(join(node.dir, 'admission_config.yaml'), /Allow: false$/m, 'Allow: true');
    const [finding] = (await examineNode(node, { strict: true })).filter(
      ({ status }) => status !== 'ok',
    );
    expect([finding?.id, finding?.status]).toEqual(['image-policy-default-allow', 'fail']);
  });
});
