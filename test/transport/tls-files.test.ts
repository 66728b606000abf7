import { createPrivateKey } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ImageCheckerError } from '../../src/errors.ts';
import type { Problem } from '../../src/errors.ts';
import { loadTlsMaterial } from '../../src/transport/tls-files.ts';
import type { TlsFiles } from '../../src/transport/tls-files.ts';
import { DAY_MS, issueOdd, newKeyPair, newTestPki, selfSigned } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { newServiceFolder } from '../support/service.ts';
import type { ServiceFolder } from '../support/service.ts';

const NOW = Date.now();
const OLD = { from: new Date(NOW - 2 * DAY_MS), until: new Date(NOW - DAY_MS) };
const GARBAGE =
  '-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n';

let pki: TestPki;
let place: ServiceFolder;
let files: TlsFiles;

beforeAll(async () => {
  pki = await newTestPki();
});

beforeEach(async () => {
  place = await newServiceFolder(pki);
  files = place.config.tls;
});

afterEach(async () => {
  await place.remove();
});

async function problemsOf(now = NOW): Promise<readonly Problem[]> {
  const thrown: unknown = await loadTlsMaterial(files, now).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(ImageCheckerError);
  const { code, problems } = thrown as ImageCheckerError;
  expect(code).toBe('config-invalid');
  for (const { hint } of problems) expect(hint).toMatch(/\S/);
  return problems;
}

/** `key: message` for each problem, in order of the keys. */
async function findings(now = NOW): Promise<string[]> {
  const names = new Map(Object.entries(files).map(([key, file]) => [file as unknown, key]));
  return (await problemsOf(now))
    .map(({ file, message }) => `${String(names.get(file))}: ${message}`)
    .sort();
}

describe('certificate, key and client CA', () => {
  it('that belong together are loaded', async () => {
    const { certificate, key, clientCA, validFrom, validTo } = await loadTlsMaterial(files, NOW);
    expect([certificate, key, clientCA]).toEqual([
      pki.server.certificate,
      pki.server.key,
      pki.authority.certificate,
    ]);
    expect([validFrom < NOW, validTo > NOW]).toEqual([true, true]);
  });

  const allowed: [string, () => Promise<unknown>][] = [
    ['a key that a group may read', () => chmod(files.key, 0o640)],
    ['a key that only its owner may read', () => chmod(files.key, 0o400)],
    [
      'a chain',
      () => writeFile(files.certificate, pki.server.certificate + pki.authority.certificate),
    ],
    [
      'two client CAs',
      () => writeFile(files.clientCA, pki.authority.certificate + pki.otherAuthority.certificate),
    ],
    [
      'a client CA with words around it',
      () => writeFile(files.clientCA, `the CA:\n${pki.authority.certificate}# end\n`),
    ],
  ];

  it.each(allowed)('are loaded with %s', async (_title, change) => {
    await change();
    await expect(loadTlsMaterial(files, NOW)).resolves.toHaveProperty('certificate');
  });

  const MISSING = 'cannot be read: no such file';
  const refused: [string, () => Promise<unknown>, string[]][] = [
    ...[0o644, 0o604, 0o602, 0o601, 0o660, 0o620, 0o777].map(
      (mode): [string, () => Promise<unknown>, string[]] => [
        `a key of mode ${mode.toString(8)}`,
        () => chmod(files.key, mode),
        [`key: expected a private key with mode 0600, got 0${mode.toString(8)}`],
      ],
    ),
    ['no key', () => rm(files.key), [`key: ${MISSING}`]],
    ['no certificate', () => rm(files.certificate), [`certificate: ${MISSING}`]],
    ['no client CA', () => rm(files.clientCA), [`clientCA: ${MISSING}`]],
    [
      'a folder for a key',
      async () => {
        await rm(files.key);
        await mkdir(files.key);
      },
      ['key: cannot be read: it is a folder'],
    ],
    [
      'nothing at all',
      () =>
        Promise.all(
          Object.values(place.config.tls)
            .slice(0, 3)
            .map((file) => rm(String(file))),
        ),
      [`certificate: ${MISSING}`, `clientCA: ${MISSING}`, `key: ${MISSING}`],
    ],
    [
      'the key of another certificate',
      () => writeFile(files.key, newKeyPair().privateKey),
      [`key: the private key does not belong to the certificate FILE`],
    ],
    [
      'an expired certificate',
      () => write(issueOdd(pki.authority, { ...OLD, usage: 'serverAuth' })),
      ['certificate: the certificate expired on '],
    ],
    [
      'a certificate that is not yet valid',
      () => {
        const [from, until] = [new Date(NOW + DAY_MS), new Date(NOW + 2 * DAY_MS)];
        return write(issueOdd(pki.authority, { from, until }));
      },
      ['certificate: the certificate is not valid before '],
    ],
    [
      'a client CA that is none',
      () => writeFile(files.clientCA, pki.client.certificate),
      ['clientCA: expected CA certificates, got CN=api-server, which is none'],
    ],
    [
      'a self-signed client certificate for a client CA',
      () => writeFile(files.clientCA, selfSigned({}).certificate),
      ['clientCA: expected CA certificates, got CN=api-server, which is none'],
    ],
    [
      'a client CA, and a certificate that is none',
      () => writeFile(files.clientCA, pki.authority.certificate + pki.client.certificate),
      ['clientCA: expected CA certificates, got CN=api-server, which is none'],
    ],
    [
      'an empty certificate',
      () => writeFile(files.certificate, ''),
      ['certificate: expected a PEM certificate, found none'],
    ],
    [
      'a key for a certificate',
      () => writeFile(files.certificate, pki.server.key),
      ['certificate: expected a PEM certificate, found none'],
    ],
    [
      'a key for a client CA',
      () => writeFile(files.clientCA, pki.server.key),
      ['clientCA: expected a PEM certificate, found none'],
    ],
    [
      'noise in PEM for a certificate',
      () => writeFile(files.certificate, GARBAGE),
      ['certificate: not a certificate: '],
    ],
    [
      'noise in PEM for a client CA',
      () => writeFile(files.clientCA, GARBAGE),
      ['clientCA: not a certificate: '],
    ],
    [
      'noise for a key',
      () => writeFile(files.key, 'hush'),
      ['key: expected a PEM private key without a passphrase'],
    ],
    [
      'a key behind a passphrase',
      () =>
        writeFile(
          files.key,
          createPrivateKey(pki.server.key).export({
            type: 'pkcs8',
            format: 'pem',
            cipher: 'aes-256-cbc',
            passphrase: 'open sesame',
          }),
        ),
      ['key: expected a PEM private key without a passphrase'],
    ],
    [
      'everything wrong at once',
      async () => {
        await write(issueOdd(pki.authority, OLD));
        await writeFile(files.key, pki.server.key);
        await chmod(files.key, 0o644);
        await writeFile(files.clientCA, GARBAGE);
      },
      [
        'certificate: the certificate expired on ',
        'clientCA: not a certificate: ',
        'key: expected a private key with mode 0600, got 0644',
      ],
    ],
  ];

  it.each(refused)('are refused with %s', async (_title, change, expected) => {
    await change();
    const found = await findings();
    expect(found).toHaveLength(expected.length);
    for (const [index, beginning] of expected.entries()) {
      expect(found[index]?.replaceAll(files.certificate, 'FILE')).toMatch(startOf(beginning));
    }
  });

  it('are refused when every client CA has run out', async () => {
    const later = NOW + 11 * 365 * DAY_MS;
    expect(await findings(later)).toEqual([
      expect.stringMatching(/^certificate: the certificate expired on /),
      expect.stringMatching(/^clientCA: the certificate expired on /),
    ]);
  });

  it('are never quoted where they are a key', async () => {
    const secret = 'c2VjcmV0IGtleSBtYXRlcmlhbA==';
    await writeFile(
      files.key,
      `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`,
    );
    expect(JSON.stringify(await problemsOf())).not.toContain(secret);
  });

  async function write({ certificate, key }: TestPki['server']): Promise<void> {
    await writeFile(files.certificate, certificate);
    await writeFile(files.key, key);
  }
});

function startOf(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);
}
