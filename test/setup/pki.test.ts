import { execFileSync } from 'node:child_process';
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { issueLeaf, makeAuthority } from '../../src/setup/pki.ts';
import type { Credential, LeafRequest, PkiPorts } from '../../src/setup/pki.ts';
import { systemPkiPorts } from '../../src/setup/system-pki-ports.ts';
import { NOW, pooledKeyPair } from './support.ts';

const SERVER: LeafRequest = {
  kind: 'server',
  hosts: [
    { type: 'dns', value: 'checker.example.com' },
    { type: 'ip', value: '10.0.0.7' },
    { type: 'ip', value: '2001:db8::1' },
  ],
};
const CLIENT: LeafRequest = { kind: 'client', name: 'api-server' };

const pooled: PkiPorts = {
  now: () => NOW,
  randomBytes: (size) => randomBytes(size),
  generateKeyPair: pooledKeyPair,
};

const at = (time: string): PkiPorts => ({ ...pooled, now: () => new Date(time) });

const folder = mkdtempSync(join(tmpdir(), 'image-checker-pki-'));
const made = {} as Record<'ca' | 'server' | 'client', Credential>;

function openssl(...args: string[]): string {
  return execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
}

beforeAll(async () => {
  const ports = { ...systemPkiPorts, now: () => NOW };
  made.ca = await makeAuthority(ports);
  made.server = await issueLeaf(made.ca, SERVER, ports);
  made.client = await issueLeaf(made.ca, CLIENT, ports);
  for (const [name, { certificate }] of Object.entries(made)) {
    writeFileSync(join(folder, `${name}.pem`), certificate);
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the certificates of a new installation', () => {
  it.each([
    ['ca', 'CN=image-checker CA', 3072, '2036-08-01T12:00:00.000Z'],
    ['server', 'CN=image-checker', 2048, '2027-08-01T12:00:00.000Z'],
    ['client', 'CN=api-server', 2048, '2027-08-01T12:00:00.000Z'],
  ] as const)('%s is %s with %i bits until %s', (name, subject, bits, notAfter) => {
    const certificate = new X509Certificate(made[name].certificate);
    expect(certificate.subject).toBe(subject);
    expect(certificate.issuer).toBe('CN=image-checker CA');
    expect(certificate.publicKey.asymmetricKeyDetails?.modulusLength).toBe(bits);
    expect(new Date(certificate.validFrom).toISOString()).toBe('2026-08-01T11:55:00.000Z');
    expect(new Date(certificate.validTo).toISOString()).toBe(notAfter);
    expect(certificate.checkPrivateKey(createPrivateKey(made[name].key))).toBe(true);
  });

  it.each([
    [
      'ca',
      [
        'Basic Constraints: critical\nCA:TRUE, pathlen:0',
        'Key Usage: critical\nCertificate Sign, CRL Sign',
      ],
    ],
    [
      'server',
      [
        'Basic Constraints: critical\nCA:FALSE',
        'Key Usage: critical\nDigital Signature, Key Encipherment',
        'Extended Key Usage: \nTLS Web Server Authentication',
      ],
    ],
    [
      'client',
      [
        'Basic Constraints: critical\nCA:FALSE',
        'Key Usage: critical\nDigital Signature',
        'Extended Key Usage: \nTLS Web Client Authentication',
      ],
    ],
  ] as const)('%s carries the extensions of its purpose and no others', (name, extensions) => {
    const text = openssl('x509', '-in', `${name}.pem`, '-noout', '-text').replaceAll(/\n +/g, '\n');
    expect(text).toContain('Signature Algorithm: sha256WithRSAEncryption');
    for (const extension of extensions) expect(text).toContain(`X509v3 ${extension}\n`);
    expect(text.match(/X509v3 .*Key Usage/g)?.length).toBe(extensions.length - 1);
  });

  it('name every host of the server, addresses as addresses', () => {
    const server = new X509Certificate(made.server.certificate);
    expect(server.subjectAltName).toBe(
      'DNS:checker.example.com, IP Address:10.0.0.7, IP Address:2001:DB8:0:0:0:0:0:1',
    );
    expect(server.checkHost('checker.example.com')).toBeDefined();
    expect(server.checkIP('2001:db8::1')).toBeDefined();
    expect(server.checkHost('other.example.com')).toBeUndefined();
    expect(new X509Certificate(made.client.certificate).subjectAltName).toBeUndefined();
  });

  it('are linked by key identifiers', () => {
    const keyIds = (name: string): string[] =>
      openssl(
        'x509',
        '-in',
        `${name}.pem`,
        '-noout',
        '-ext',
        'subjectKeyIdentifier,authorityKeyIdentifier',
      )
        .split('\n')
        .map((line) => line.trim().replace(/^keyid:/, ''))
        .filter((line) => /^[0-9A-F]{2}(?::[0-9A-F]{2}){19}$/.test(line));
    const [caKey, caIssuer] = keyIds('ca');
    const [serverKey, serverIssuer] = keyIds('server');
    expect(caIssuer).toBe(caKey);
    expect(serverIssuer).toBe(caKey);
    expect(serverKey).not.toBe(caKey);
  });

  it.each([
    ['server', 'sslserver', true],
    ['client', 'sslclient', true],
    ['server', 'sslclient', false],
    ['client', 'sslserver', false],
  ] as const)('%s verified strictly as %s: %s', (name, purpose, good) => {
    const verify = (): string =>
      openssl(
        'verify',
        '-x509_strict',
        '-attime',
        '1790000000',
        '-purpose',
        purpose,
        '-CAfile',
        'ca.pem',
        `${name}.pem`,
      );
    if (good) expect(verify()).toContain('OK');
    else expect(verify).toThrow('unsuitable certificate purpose');
  });
});

describe('serial numbers', () => {
  const serial = ({ certificate }: Credential): string =>
    new X509Certificate(certificate).serialNumber;

  it('all differ', () => {
    expect(new Set(Object.values(made).map(serial)).size).toBe(3);
  });

  it.each([
    ['all bits set', 0xff, '7F'],
    ['all bits clear', 0x00, '40'],
  ])('are positive and of 20 bytes with %s', async (_title, byte, first) => {
    const randomBytes = (size: number): Uint8Array => new Uint8Array(size).fill(byte);
    const number = serial(await makeAuthority({ ...pooled, randomBytes }));
    expect(number).toHaveLength(40);
    expect(number.slice(0, 2)).toBe(first);
  });
});

describe('the time in a certificate', () => {
  it('goes beyond 2049', async () => {
    const ca = new X509Certificate((await makeAuthority(at('2045-03-01T00:00:00Z'))).certificate);
    expect(new Date(ca.validTo).toISOString()).toBe('2055-03-01T00:00:00.000Z');
    expect(new Date(ca.validFrom).toISOString()).toBe('2045-02-28T23:55:00.000Z');
  });

  it.each([
    ['ends no later than its CA', '2036-02-01T00:00:00Z', 'validTo', '2036-08-01T12:00:00.000Z'],
    [
      'begins no earlier than its CA',
      '2026-08-01T11:57:00Z',
      'validFrom',
      '2026-08-01T11:55:00.000Z',
    ],
  ] as const)('of a leaf %s', async (_title, now, end, expected) => {
    const leaf = new X509Certificate((await issueLeaf(made.ca, CLIENT, at(now))).certificate);
    expect(new Date(leaf[end]).toISOString()).toBe(expected);
  });
});

describe('a leaf from a CA that was made elsewhere', () => {
  it.each([
    ['a plain name', '/CN=Example CA'],
    ['a name beyond ASCII', '/O=Müller & Söhne/CN=Prüf-CA'],
  ])('verifies with %s', async (_title, subject) => {
    openssl(
      ...['req', '-x509', '-utf8', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'other.key'],
      ...['-out', 'other.pem', '-days', '3650', '-subj', subject],
    );
    const other = {
      certificate: openssl('x509', '-in', 'other.pem'),
      key: openssl('pkey', '-in', 'other.key'),
    };
    const leaf = await issueLeaf(other, CLIENT, { ...pooled, now: () => new Date() });
    writeFileSync(join(folder, 'leaf.pem'), leaf.certificate);
    expect(openssl('verify', '-CAfile', 'other.pem', 'leaf.pem')).toContain('OK');
  });
});
