import { X509Certificate } from 'node:crypto';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { loadConfig } from '../../src/config/load-config.ts';
import { startService } from '../../src/service.ts';
import { readCertificateTable } from '../../src/setup/certificate-table.ts';
import { pathOf } from '../../src/setup/layout.ts';
import type { Target } from '../../src/setup/layout.ts';
import type { SetupFlags } from '../../src/setup/options.ts';
import { altNamesOf, certificatesIn } from '../../src/setup/pem.ts';
import { systemPkiPorts } from '../../src/setup/system-pki-ports.ts';
import { outcome } from '../support/requests.ts';
import { memoryLog } from '../support/service.ts';
import {
  apiserverAt,
  certificateOf,
  layoutOf,
  livePorts,
  OpenSsl,
  P256,
  P384,
  renewAt,
  RSA,
  textOf,
} from './renew-support.ts';
import { newPlace, rejection, removePlace, setUp, snapshot } from './support.ts';
import type { Place } from './support.ts';

let openssl: OpenSsl;
let place: Place;

beforeAll(async () => {
  openssl = new OpenSsl(await fs.mkdtemp(join(tmpdir(), 'image-checker-own-ca-')));
  openssl.root('rsa', RSA);
  openssl.root('p256', P256);
  openssl.root('p384', P384, '/O=Müller & Söhne/CN=Prüf-CA');
  openssl.root('other', P256);
  openssl.root('ed25519', ['-algorithm', 'ED25519']);
  openssl.root('p521', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521']);
  // The old forms of a private key, each with its own head line.
  openssl.run('rsa', '-in', 'rsa.key', '-traditional', '-out', 'rsa-pkcs1.key');
  openssl.run('ec', '-in', 'p256.key', '-out', 'p256-sec1.key');
  openssl.run('pkcs8', '-topk8', '-in', 'p256.key', '-out', 'encrypted.key', '-passout', 'pass:x');
  const parameters = openssl.run('ecparam', '-name', 'prime256v1');
  const sec1 = await fs.readFile(openssl.path('p256-sec1.key'), 'utf8');
  await fs.writeFile(openssl.path('p256-parameters.key'), parameters + sec1);
  await intermediate();
}, 20_000);

/** A CA below a root, as most companies have them. */
async function intermediate(): Promise<void> {
  openssl.run('genpkey', ...P256, '-out', 'between.key');
  const subject = ['-subj', '/CN=between', '-out', 'between.csr'];
  openssl.run('req', '-new', '-key', 'between.key', ...subject);
  const extensions = [
    'basicConstraints=critical,CA:TRUE,pathlen:0',
    'keyUsage=critical,keyCertSign',
  ];
  await openssl.sign('between', 'p384', extensions, 'between.csr');
  const chain = [openssl.path('between.pem'), openssl.path('p384.pem')];
  const texts = await Promise.all(chain.map((file) => fs.readFile(file, 'utf8')));
  await fs.writeFile(openssl.path('chain.pem'), texts.join(''));
}

afterAll(async () => {
  await fs.rm(openssl.folder, { recursive: true });
});

beforeEach(async () => {
  place = await newPlace();
});

afterEach(async () => {
  await removePlace(place);
});

const path = (target: Target): string => pathOf(layoutOf(place), target);

const own = (certificate: string, key = certificate): SetupFlags => ({
  caCert: openssl.path(`${certificate}.pem`),
  caKey: openssl.path(`${key}.key`),
});

/** A review by kube-apiserver's files to a service by its own. */
async function review(at = place): Promise<number | 'no answer'> {
  const config = await loadConfig(path('serviceConfig'));
  const listen = { host: '127.0.0.1', port: 0 };
  const service = await startService(
    { ...config, listen, admin: listen },
    memoryLog(),
    Date.now,
    new Registry(),
  );
  try {
    return await outcome(await apiserverAt(at, service.port));
  } finally {
    await service.stop();
  }
}

const findings = async (): Promise<readonly unknown[]> => {
  const options = { layout: layoutOf(place), now: new Date(), warnDays: 30 };
  const { rows, problems } = await readCertificateTable(options);
  return [...problems, ...rows.filter(({ state }) => state !== 'good')];
};

describe("setup with a CA of one's own", () => {
  it.each([
    ['RSA, PKCS #8', 'rsa', 'rsa', 'rsa'],
    ['RSA, PKCS #1', 'rsa', 'rsa-pkcs1', 'rsa'],
    ['P-256, PKCS #8', 'p256', 'p256', 'ec'],
    ['P-256, SEC 1', 'p256', 'p256-sec1', 'ec'],
    ['P-256, SEC 1 behind its parameters', 'p256', 'p256-parameters', 'ec'],
    ['P-384, a name beyond ASCII', 'p384', 'p384', 'ec'],
    ['below a root', 'chain', 'between', 'ec'],
  ] as const)('works, renews and shakes hands: %s', async (_title, certificate, key, kind) => {
    const { generateKeyPair } = systemPkiPorts;
    await setUp(place, own(certificate, key), livePorts({ generateKeyPair }));
    const ca = (await fs.readFile(openssl.path(`${certificate}.pem`), 'utf8')).trim();
    expect((await textOf(place, 'externalCa')).trim()).toBe(ca);
    await fs.writeFile(openssl.path('ca-used.pem'), await textOf(place, 'clientCa'));
    for (const target of ['serverCertificate', 'clientCertificate'] as const) {
      expect((await certificateOf(place, target)).publicKey.asymmetricKeyType).toBe(kind);
      const purpose = target === 'serverCertificate' ? 'sslserver' : 'sslclient';
      const verified = openssl.run(
        ...['verify', '-x509_strict', '-purpose', purpose, '-CAfile', 'ca-used.pem', path(target)],
      );
      expect(verified).toContain('OK');
    }
    expect(await review()).toBe(200);
    const before = await textOf(place, 'serverCertificate');
    await renewAt(place, { caKey: openssl.path(`${key}.key`) }, { generateKeyPair });
    expect(await textOf(place, 'serverCertificate')).not.toBe(before);
    expect(await review()).toBe(200);
    expect(await findings()).toEqual([]);
  });

  it('leaves the key of the CA where it is', async () => {
    await setUp(place, own('p256'), livePorts());
    expect(await fs.readdir(join(place.serviceDir, 'pki'))).toEqual(['ca-cert.pem']);
  });

  it('takes the certificates of the file alone', async () => {
    const mixed = openssl.path('mixed.pem');
    const parts = ['p256.key', 'p256.pem'].map((name) => fs.readFile(openssl.path(name), 'utf8'));
    await fs.writeFile(mixed, (await Promise.all(parts)).join(''));
    await setUp(place, { caCert: mixed, caKey: mixed }, livePorts());
    const tree = Object.values(await snapshot(place.root)).join('\n');
    expect(tree.match(/PRIVATE KEY-----\n/g)).toHaveLength(4); // begin and end of two leaves' keys
    expect(await review()).toBe(200);
  });

  it('says the same when it is called again with --if-missing', async () => {
    await setUp(place, own('p256'), livePorts());
    await fs.rm(path('serverCertificate'));
    await fs.rm(path('serverKey'));
    await setUp(place, { ...own('p256'), ifMissing: true }, livePorts());
    expect(await review()).toBe(200);
  });

  it.each<[string, () => SetupFlags, RegExp]>([
    [
      'the key of another',
      () => own('p256', 'other'),
      /expected the key of .*p256.pem, got another/,
    ],
    [
      'an Ed25519 key',
      () => own('ed25519'),
      /expected an RSA key or one on P-256 or P-384, got ed25519/,
    ],
    ['a key on another curve', () => own('p521'), /P-256 or P-384, got one on secp521r1/],
    [
      'an encrypted key',
      () => own('p256', 'encrypted'),
      /encrypted.key: expected PEM, not encrypted/,
    ],
    [
      'one without its root',
      () => own('between'),
      /expected the CAs above it up to a root behind it, got none above CN=between/,
    ],
    ['a file that is not there', () => own('nowhere'), /nowhere.pem: expected to read it/],
    [
      'a key in the place of a certificate',
      () => ({ ...own('p256'), caCert: openssl.path('p256.key') }),
      /expected PEM certificates, got none/,
    ],
    ['a certificate alone', () => ({ caCert: 'a' }), /expected --ca-cert and --ca-key together/],
    [
      '--csr-only beside it',
      () => ({ ...own('p256'), csrOnly: true }),
      /expected one of --csr-only and --ca-cert/,
    ],
  ])('refuses %s and makes nothing', async (_title, flags, message) => {
    const running = async () => setUp(place, flags(), livePorts());
    expect(String(await rejection(running()))).toMatch(message);
    expect(await snapshot(place.root)).toEqual({});
  });

  it('refuses another CA than the one that is there', async () => {
    await setUp(place, own('p256'), livePorts());
    await fs.rm(path('clientKey'));
    await fs.rm(path('clientCertificate'));
    const thrown = await rejection(setUp(place, { ...own('other'), ifMissing: true }, livePorts()));
    expect(String(thrown)).toMatch(/other.pem: expected the CA of .*ca-cert.pem, got another/);
  });

  it('refuses with --force to leave the key of another CA behind', async () => {
    await setUp(place, {}, livePorts());
    const thrown = await rejection(setUp(place, { ...own('p256'), force: true }, livePorts()));
    expect(String(thrown)).toMatch(/ca-key.pem: expected no key of another CA/);
  });
});

describe("certs renew --ca to a CA of one's own", () => {
  it('changes in three steps and keeps the key nowhere', async () => {
    await setUp(place, {}, livePorts());
    expect(await renewAt(place, { ...own('p256'), ca: true })).toMatchObject({
      step: 'trust-both',
    });
    expect(await review()).toBe(200);
    const { caKey = '' } = own('p256');
    expect(String(await rejection(renewAt(place, { ca: true, yes: true })))).toMatch(
      /next-ca-key.pem/,
    );
    const changed = await renewAt(place, { ca: true, yes: true, caKey });
    expect(changed).toMatchObject({ step: 'change-over' });
    expect(await review()).toBe(200);
    const kept = await snapshot(changed.backup ?? '');
    expect(kept['service/pki/ca-key.pem']).toContain('PRIVATE KEY');
    expect(await renewAt(place, { ca: true, yes: true })).toMatchObject({ step: 'forget-old' });
    expect(await review()).toBe(200);
    expect(await fs.readdir(join(place.serviceDir, 'pki'))).toEqual(['ca-cert.pem']);
    expect(await findings()).toEqual([]);
  });

  it('keeps a root that the old CA and the new one share', async () => {
    await setUp(place, own('chain', 'between'), livePorts());
    await renewAt(place, { ...own('p384'), ca: true });
    await renewAt(place, { ...own('p384'), ca: true, yes: true });
    await renewAt(place, { ca: true, yes: true });
    expect(certificatesIn(await textOf(place, 'clientCa')).map((each) => each.ca)).toEqual([true]);
    expect(await review()).toBe(200);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'the CA in force',
      () => renewAt(place, { ...own('p256'), ca: true }),
      /expected another CA than the one in force/,
    ],
    [
      'a third one in the middle',
      async () => {
        await renewAt(place, { ...own('rsa'), ca: true });
        await renewAt(place, { ...own('other'), ca: true, yes: true });
      },
      /expected the CA that the change has begun to, got another/,
    ],
    [
      'a key alone for the first step',
      () => renewAt(place, { caKey: 'x', ca: true }),
      /expected --ca-cert with --ca-key in this step/,
    ],
    [
      'a certificate alone',
      async () => renewAt(place, { caCert: 'x', ca: true }),
      /expected --ca-key with --ca-cert/,
    ],
    ['--yes without --ca', async () => renewAt(place, { yes: true }), /expected --yes with --ca/],
  ])('refuses %s', async (_title, attempt, message) => {
    await setUp(place, own('p256'), livePorts());
    expect(String(await rejection(attempt()))).toMatch(message);
  });
});

describe('setup --csr-only', () => {
  const signed = ['serverCertificate', 'clientCertificate'] as const;

  async function signAll(by: string): Promise<void> {
    for (const [name, target] of [
      ['server', signed[0]],
      ['apiserver-client', signed[1]],
    ] as const) {
      openssl.run(
        ...['x509', '-req', '-in', join(place.serviceDir, `${name}.csr`), '-CA', `${by}.pem`],
        ...['-CAkey', `${by}.key`, '-days', '365', '-copy_extensions', 'copyall'],
        ...['-out', path(target)],
      );
    }
    await fs.copyFile(openssl.path(`${by}.pem`), path('clientCa'));
    await fs.copyFile(openssl.path(`${by}.pem`), path('externalCa'));
  }

  it('makes keys and requests, and all that needs no CA', async () => {
    await setUp(place, { csrOnly: true }, livePorts());
    expect(Object.keys(await snapshot(place.root))).toEqual([
      'admission',
      'admission/admission_config.yaml',
      'admission/apiserver-client-key.pem',
      'admission/kubeconf',
      'service',
      'service/apiserver-client.csr',
      'service/config.yaml',
      'service/rules.yaml',
      'service/server-key.pem',
      'service/server.csr',
    ]);
    const text = openssl
      .run('req', '-in', join(place.serviceDir, 'server.csr'), '-noout', '-text', '-verify')
      .replaceAll(/\n +/g, '\n');
    expect(text).toContain('Subject: CN = image-checker');
    expect(text).toContain('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
    expect(text).toContain('X509v3 Extended Key Usage: \nTLS Web Server Authentication');
  });

  it.each(['rsa', 'p256'])('works once the %s CA has answered', async (by) => {
    const { generateKeyPair } = systemPkiPorts;
    await setUp(place, { csrOnly: true, serverHost: ['checker'] }, livePorts({ generateKeyPair }));
    await signAll(by);
    expect(await review()).toBe(200);
    expect(await findings()).toEqual([]);
    expect(altNamesOf(await certificateOf(place, 'serverCertificate'))).toContain('checker');
  });

  it('tells with certs show what is still to come', async () => {
    await setUp(place, { csrOnly: true }, livePorts());
    expect(await findings()).toEqual([
      {
        file: path('clientCertificate'),
        message: `expected it beside ${path('clientKey')}, got nothing`,
      },
      {
        file: path('serverCertificate'),
        message: `expected it beside ${path('serverKey')}, got nothing`,
      },
    ]);
  });

  it('makes with --if-missing a request for a key that is there, and none twice', async () => {
    await setUp(place, { csrOnly: true }, livePorts());
    const before = await snapshot(place.root);
    expect((await setUp(place, { csrOnly: true, ifMissing: true }, livePorts())).made).toEqual([]);
    await fs.rm(join(place.serviceDir, 'server.csr'));
    const again = await setUp(place, { csrOnly: true, ifMissing: true }, livePorts());
    expect(again.made.map((file) => file.path)).toEqual([join(place.serviceDir, 'server.csr')]);
    expect(Object.keys(await snapshot(place.root))).toEqual(Object.keys(before));
    await signAll('p256');
    expect(await review()).toBe(200);
  });

  it.each<[string, SetupFlags, RegExp]>([
    ['--force', { csrOnly: true, force: true }, /expected one of --csr-only and --force/],
    ['files that are there', { csrOnly: true }, /expected nothing here yet/],
  ])('refuses %s', async (_title, flags, message) => {
    await setUp(place, {}, livePorts());
    expect(String(await rejection((async () => setUp(place, flags, livePorts()))()))).toMatch(
      message,
    );
  });
});

describe('files as cert-manager makes them', () => {
  /** No CN but names of the pod, ECDSA, the root in ca.crt, usages for both sides. */
  async function likeCertManager(target: Target, key: Target, names: string): Promise<void> {
    openssl.run('ecparam', '-genkey', '-name', 'prime256v1', '-out', path(key));
    await fs.chmod(path(key), 0o600);
    openssl.run('req', '-new', '-key', path(key), '-subj', '/', '-out', 'leaf.csr');
    const extensions = [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,digitalSignature,keyEncipherment',
      'extendedKeyUsage=serverAuth,clientAuth',
      `subjectAltName=critical,${names}`,
    ];
    await openssl.sign('leaf', 'p256', extensions, 'leaf.csr');
    await fs.copyFile(openssl.path('leaf.pem'), path(target));
  }

  it('serve, are shown, and are renewed with the names that they have', async () => {
    await setUp(place, own('p256'), livePorts());
    await likeCertManager('serverCertificate', 'serverKey', 'DNS:checker.svc,IP:127.0.0.1');
    await likeCertManager('clientCertificate', 'clientKey', 'DNS:api-server,URI:spiffe://a/b');
    expect(await review()).toBe(200);
    expect(await findings()).toEqual([]);
    await renewAt(place, { caKey: openssl.path('p256.key') });
    const client = new X509Certificate(await textOf(place, 'clientCertificate'));
    expect([client.subject as unknown, client.subjectAltName]).toEqual([
      undefined,
      'DNS:api-server, URI:spiffe://a/b',
    ]);
    expect(altNamesOf(await certificateOf(place, 'serverCertificate'))).toEqual([
      'checker.svc',
      '127.0.0.1',
    ]);
    expect(await review()).toBe(200);
  });
});
