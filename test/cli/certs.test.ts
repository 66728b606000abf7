import fs from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';
import { pathOf } from '../../src/setup/layout.ts';
import type { Target } from '../../src/setup/layout.ts';
import { certificateOf, layoutOf, livePorts } from '../setup/renew-support.ts';
import { newPlace, removePlace, setUp, snapshot } from '../setup/support.ts';
import type { Place } from '../setup/support.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let place: Place;

beforeEach(async () => {
  place = await newPlace();
});

afterEach(async () => {
  await removePlace(place);
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function certs(...args: readonly string[]): Promise<Outcome> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const folders = ['--dir', 'admission', '--service-dir', 'service'];
  const code = await run(['certs', ...args, ...folders], {
    stdin: new PassThrough(),
    stdout,
    stderr,
    env: {},
    cwd: place.root,
    onSignal: () => () => undefined,
    exitCode: EXIT.ok,
  });
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) };
}

function textOf(stream: PassThrough): string {
  return String(stream.read() ?? '');
}

const path = (target: Target): string => pathOf(layoutOf(place), target);

/** An installation that was made so many days ago. */
const madeBefore = (days: number) =>
  setUp(place, {}, livePorts({ now: () => new Date(Date.now() - days * DAY_MS) }));

describe('image-checker certs show', () => {
  it('shows every certificate of both folders with its role, names and days', async () => {
    await madeBefore(0);
    const { code, stdout, stderr } = await certs('show');
    expect([code, stderr]).toEqual([EXIT.ok, '']);
    const { serialNumber } = await certificateOf(place, 'serverCertificate');
    const lines = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(lines).toContainEqual([
      'server-cert.pem',
      'server',
      'CN=image-checker',
      'localhost, 127.0.0.1, ::1, external-service',
      serialNumber.toLowerCase(),
      expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      expect.stringMatching(/^36[45]$/),
    ]);
    expect(lines.map(([file, role]) => `${file ?? ''}: ${role ?? ''}`)).toEqual(
      expect.arrayContaining([
        'apiserver-client-cert.pem: client',
        'external-cert.pem: verifies the server',
        'client-ca.pem: verifies the client',
        'ca-cert.pem: CA',
      ]),
    );
  });

  it('shows each certificate of a bundle, and what else lies there', async () => {
    await madeBefore(0);
    const other = await fs.readFile(path('serverCertificate'));
    await fs.appendFile(path('externalCa'), other);
    await fs.writeFile(join(place.serviceDir, 'tls.crt'), other);
    const { stdout } = await certs('show', '-o', 'json');
    const { certificates } = JSON.parse(stdout) as {
      certificates: { file: string; role: string; subject: string }[];
    };
    const subjects = (file: string): string[] =>
      certificates.filter((each) => each.file === file).map(({ subject }) => subject);
    expect(subjects(path('externalCa'))).toEqual(['CN=image-checker CA', 'CN=image-checker']);
    expect(certificates).toContainEqual(
      expect.objectContaining({ file: join(place.serviceDir, 'tls.crt'), role: 'other' }),
    );
  });

  it.each<[string, number, readonly string[], string]>([
    ['is good with many days left', 300, [], 'good'],
    ['is a finding with few days left', 340, [], 'ending'],
    ['is none with --warn-days below', 340, ['--warn-days', '20'], 'good'],
    ['is a finding with --warn-days above', 10, ['--warn-days', '400'], 'ending'],
    ['is a finding after its end, whatever --warn-days', 370, ['--warn-days', '0'], 'expired'],
    ['is a finding before its beginning', -2, [], 'not yet valid'],
  ])('a certificate %s', async (_title, days, flags, state) => {
    const expected = state === 'good' ? EXIT.ok : EXIT.finding;
    await madeBefore(days);
    const { code, stdout } = await certs('show', '-o', 'json', ...flags);
    expect(code).toBe(expected);
    expect(JSON.parse(stdout)).toMatchObject({
      certificates: [{ role: 'client', state }, {}, {}, { role: 'server', state }, {}],
    });
    const text = await certs('show', ...flags);
    expect(text.code).toBe(expected);
    if (state !== 'good') expect(text.stdout).toMatch(new RegExp(` -?\\d+ \\(${state}\\)\n`));
  });

  it.each<[string, () => Promise<void>, RegExp]>([
    [
      'a key of another',
      () => fs.copyFile(path('clientKey'), path('serverKey')),
      /server-key.pem: expected the key of .*server-cert.pem, got another/,
    ],
    [
      'a missing key',
      () => fs.rm(path('clientKey')),
      /apiserver-client-key.pem: expected the key of .*, got nothing/,
    ],
    [
      'a missing certificate',
      () => fs.rm(path('serverCertificate')),
      /server-cert.pem: expected it beside .*server-key.pem, got nothing/,
    ],
    [
      'a key that others may read',
      () => fs.chmod(path('serverKey'), 0o604),
      /expected a private key with mode 0600, got 0604\n {2}run: chmod 600 /,
    ],
    [
      'a key that is none',
      () => fs.writeFile(path('caKey'), 'x'),
      /ca-key.pem: expected a PEM private key without a passphrase/,
    ],
    [
      'a certificate file without one',
      () => fs.writeFile(path('clientCa'), 'x'),
      /client-ca.pem: expected PEM certificates, got none/,
    ],
    [
      'a broken certificate',
      () =>
        fs.writeFile(
          path('externalCa'),
          '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
        ),
      /external-cert.pem: not a certificate/,
    ],
  ])('finds %s', async (_title, spoil, message) => {
    await madeBefore(0);
    await spoil();
    const { code, stdout } = await certs('show');
    expect(code).toBe(EXIT.finding);
    expect(stdout).toMatch(message);
    expect(stdout.match(/✗/g)).toHaveLength(1);
  });

  it.each<[string, () => Promise<void>]>([
    ["the CA's key is off the node", () => fs.rm(path('caKey'))],
    ['a group may read a key', () => fs.chmod(path('serverKey'), 0o640)],
    ['the service is on another machine', () => fs.rm(place.serviceDir, { recursive: true })],
  ])('finds nothing where %s', async (_title, change) => {
    await madeBefore(0);
    await change();
    expect((await certs('show')).code).toBe(EXIT.ok);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['empty folders', [], /expected certificates in .* got none\n.*hint: .*setup/],
    ['days that are none', ['--warn-days', 'x'], /expected a number of days/],
    ['an unknown format', ['-o', 'yaml'], /argument 'yaml' is invalid/],
  ])('refuses %s', async (_title, flags, message) => {
    const { code, stdout, stderr } = await certs('show', ...flags);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toMatch(message);
  });
});

describe('image-checker certs renew', () => {
  it('says what it made, until when, and that nothing needs a restart', async () => {
    await madeBefore(340);
    const { code, stdout, stderr } = await certs('renew');
    expect([code, stderr]).toEqual([EXIT.ok, '']);
    expect(stdout).toMatch(/^renewed, from the same CA:\n/);
    expect(stdout).toMatch(
      /server-cert.pem\n {6}CN=image-checker, until \d{4}-\d\d-\d\d, for localhost, /,
    );
    expect(stdout).toContain(`what was there is kept in ${place.serviceDir}/backup-2`);
    expect(stdout).toContain('neither needs a restart');
    expect((await certs('show')).code).toBe(EXIT.ok);
  });

  it('says it as JSON, too', async () => {
    await madeBefore(0);
    const { stdout } = await certs('renew', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      step: 'leaves',
      files: [
        { path: path('serverCertificate'), certificates: [expect.stringContaining('until')] },
        { path: path('serverKey'), certificates: [] },
        { path: path('clientCertificate') },
        { path: path('clientKey') },
      ],
      backup: expect.stringContaining('/backup-') as unknown,
    });
  });

  it('leads through the three steps of a new CA', async () => {
    await madeBefore(0);
    const first = await certs('renew', '--ca');
    expect(first.stdout).toMatch(/^step 1 of 3: /);
    expect(first.stdout).toMatch(/restart every kube-apiserver .*\n.* before v1\.36 /);
    expect(first.stdout).toContain(
      `run: image-checker certs renew --ca --yes --dir ${place.dir} --service-dir ${place.serviceDir}`,
    );
    const early = await certs('renew', '--ca');
    expect([early.code, early.stdout]).toEqual([EXIT.usage, '']);
    expect(early.stderr).toMatch(
      /error: expected kube-apiserver to trust the new CA.*\n.*hint: restart/,
    );
    expect((await certs('show')).stdout).toContain('next CA');
    expect((await certs('renew', '--ca', '--yes')).stdout).toMatch(/^step 2 of 3: /);
    expect((await certs('show')).stdout).toContain('previous CA');
    expect((await certs('renew', '--ca', '--yes')).stdout).toMatch(/^step 3 of 3: /);
    expect((await certs('show')).stdout).not.toMatch(/next CA|previous CA/);
  });

  it('refuses empty folders with one hint', async () => {
    const { code, stderr } = await certs('renew');
    expect(code).toBe(EXIT.usage);
    expect([stderr.match(/error:/g)?.length, stderr.match(/hint:/g)?.length]).toEqual([6, 1]);
    expect(await snapshot(place.root)).toEqual({});
  });
});
