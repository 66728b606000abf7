import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { portOf, renderDocuments } from '../../src/setup/documents.ts';
import type { DocumentValues } from '../../src/setup/documents.ts';
import type { Target } from '../../src/setup/layout.ts';
import { yamlText } from '../../src/setup/yaml-text.ts';

const DEFAULTS: DocumentValues = {
  mounted: '/etc/kubernetes/admission',
  host: '127.0.0.1',
  port: 1234,
  adminPort: 9090,
};

function render(target: Target, values: Partial<DocumentValues> = {}): unknown {
  return parse(renderDocuments({ ...DEFAULTS, ...values }).get(target) ?? '');
}

describe('the reference files in admission/', () => {
  it.each<[string, Target]>([
    ['admission_config.yaml', 'admissionConfiguration'],
    ['kubeconf', 'kubeconf'],
    ['image-checker/config.yaml', 'serviceConfig'],
    ['image-checker/rules.yaml', 'rules'],
  ])('hold %s as setup makes it', async (file, target) => {
    const reference = new URL(`../../admission/${file}`, import.meta.url);
    expect(await readFile(reference, 'utf8')).toBe(renderDocuments(DEFAULTS).get(target));
  });
});

describe('the files that setup renders', () => {
  it('configure the plugin as the seed document does', () => {
    expect(render('admissionConfiguration')).toEqual({
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AdmissionConfiguration',
      plugins: [
        {
          name: 'ImagePolicyWebhook',
          configuration: {
            imagePolicy: {
              kubeConfigFile: '/etc/kubernetes/admission/kubeconf',
              allowTTL: 50,
              denyTTL: 50,
              retryBackoff: 500,
              defaultAllow: false,
            },
          },
        },
      ],
    });
  });

  it('tell the plugin whom to ask, and as whom', () => {
    expect(render('kubeconf')).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'image-checker',
          cluster: {
            'certificate-authority': '/etc/kubernetes/admission/external-cert.pem',
            server: 'https://127.0.0.1:1234/check-image',
          },
        },
      ],
      users: [
        {
          name: 'api-server',
          user: {
            'client-certificate': '/etc/kubernetes/admission/apiserver-client-cert.pem',
            'client-key': '/etc/kubernetes/admission/apiserver-client-key.pem',
          },
        },
      ],
      contexts: [
        { name: 'image-checker', context: { cluster: 'image-checker', user: 'api-server' } },
      ],
      'current-context': 'image-checker',
    });
  });

  it('configure the service', () => {
    expect(render('serviceConfig', { port: 4000, adminPort: 4001 })).toEqual({
      apiVersion: 'image-checker/v1',
      kind: 'ServiceConfig',
      listen: { host: '0.0.0.0', port: 4000 },
      admin: { host: '127.0.0.1', port: 4001 },
      tls: {
        certificate: 'server-cert.pem',
        key: 'server-key.pem',
        clientCA: 'client-ca.pem',
        allowedClients: ['api-server'],
        minVersion: 'TLSv1.2',
      },
      rules: 'rules.yaml',
      pluginCacheSeconds: 50,
      limits: { bodyBytes: 3145728, inFlight: 512, containers: 1000 },
      logging: { level: 'info', format: 'json', sampleAllowed: 1 },
      workers: 1,
    });
  });

  it('allow the registries of the seed document and no others', () => {
    expect(render('rules')).toEqual({
      apiVersion: 'image-checker/v1',
      kind: 'ImagePolicy',
      metadata: { name: 'trusted-registries' },
      spec: {
        unmatchedImages: 'deny',
        rules: [
          {
            name: 'trusted-registries',
            require: {
              registries: ['docker.io', 'registry.k8s.io', 'k8s.gcr.io'],
              explicitRegistry: true,
            },
            except: [
              { namespaces: ['kube-system'], images: ['registry.k8s.io/**', 'k8s.gcr.io/**'] },
            ],
            message: 'not trusted image!',
          },
        ],
      },
    });
  });

  it.each([
    ['a name', 'checker.example.com', 'https://checker.example.com:1234/check-image'],
    ['an IPv6 address', '2001:db8::1', 'https://[2001:db8::1]:1234/check-image'],
  ])('write %s into the URL', (_title, host, server) => {
    expect(render('kubeconf', { host })).toMatchObject({ clusters: [{ cluster: { server } }] });
  });

  it.each([
    '/with space',
    '/with #hash',
    '/with: colon',
    '/ends with colon:',
    `/with "double" and 'single' quotes`,
    '/with \\ backslash',
    '/with\nline break',
    '/with \u0085 and \u2028 and \u007f and \ufeff',
    '/ünïcode/図/😀',
    '/[flow], {flow}',
    '/',
  ])('keep the mount path %j as it is', (mounted) => {
    const kubeConfigFile = `${mounted === '/' ? '' : mounted}/kubeconf`;
    expect(render('admissionConfiguration', { mounted })).toMatchObject({
      plugins: [{ configuration: { imagePolicy: { kubeConfigFile } } }],
    });
    const directory = mounted === '/' ? '' : mounted;
    expect(render('kubeconf', { mounted })).toMatchObject({
      clusters: [{ cluster: { 'certificate-authority': `${directory}/external-cert.pem` } }],
    });
  });
});

describe('yamlText', () => {
  it.each([
    ['a path', '/etc/kubernetes/admission'],
    ['an address', 'https://[::1]:1234/check-image'],
    ['a flag', '--admission-control-config-file=/etc/x.yaml'],
  ])('leaves %s without quotes', (_title, value) => {
    expect(yamlText(value)).toBe(value);
  });

  it.each(['true', 'null', '1', '', '~', '- a', '/a: b', '/a:', '/a #b', '@a', '%a', '*a', '&a'])(
    'quotes %j',
    (value) => {
      expect(yamlText(value)).toBe(JSON.stringify(value));
      expect(parse(yamlText(value))).toBe(value);
    },
  );
});

describe('the port of a config file', () => {
  it.each([
    ['is read', 'listen: { port: 4000 }', 4000],
    ['is read beside a key that is unknown', 'other: 1\nlisten: { port: 4000 }', 4000],
    ['is unknown without listen', 'admin: { port: 1 }', undefined],
    ['is unknown when it is no number', 'listen: { port: "4000" }', undefined],
    ['is unknown in an empty file', '', undefined],
    ['is unknown in a list', '- 1', undefined],
    ['is unknown in broken YAML', 'listen: {', undefined],
  ])('%s', (_title, text, port) => {
    expect(portOf(text)).toBe(port);
  });
});
