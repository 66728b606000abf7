import { X509Certificate } from 'node:crypto';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';
import { newPlace, removePlace, snapshot } from '../setup/support.ts';
import type { Place } from '../setup/support.ts';

let place: Place;

beforeEach(async () => {
  place = await newPlace();
});

afterEach(async () => {
  await removePlace(place);
});

async function setup(
  ...args: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const code = await run(['setup', ...args], {
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

const FOLDERS = ['--dir', 'admission', '--service-dir', 'service'];

/** What -o json writes. */
interface Said {
  readonly files: readonly { readonly path: string; readonly mode: string }[];
  readonly certificates: readonly {
    readonly file: string;
    readonly role: string;
    readonly subject: string;
    readonly names: readonly string[];
    readonly sha256: string;
    readonly notAfter: string;
  }[];
  readonly signingRequests: readonly object[];
  readonly backup: string | null;
  readonly nextSteps: readonly { readonly what: string; readonly commands: readonly string[] }[];
}

describe('image-checker setup', () => {
  it('says what it made and what comes next', async () => {
    const { code, stdout, stderr } = await setup(
      ...[...FOLDERS, '--server-host', '10.0.0.7', '--server-host', 'checker'],
      ...['--port', '4000', '--admin-port', '4001', '--mount-path', '/mnt/a b'],
    );
    expect([code, stderr]).toEqual([EXIT.ok, '']);
    expect(stdout).toContain(`made 12 files:\n  0644 ${place.dir}/admission_config.yaml\n`);
    expect(stdout).toContain(`  0600 ${place.serviceDir}/pki/ca-key.pem\n`);
    expect(stdout).toMatch(/ {2}CA: image-checker CA, until \d{4}-\d\d-\d\d\n/);
    expect(stdout).toMatch(
      /for 10\.0\.0\.7, checker, localhost, 127\.0\.0\.1, ::1, external-service\n/,
    );
    expect(stdout).toContain(`image-checker serve --config ${place.serviceDir}/config.yaml\n`);
    expect(stdout).toContain('curl http://127.0.0.1:4001/readyz\n');
    expect(stdout).toContain(' https://10.0.0.7:4000/check-image\n');
    expect(stdout).toContain('--enable-admission-plugins=ImagePolicyWebhook');
    const flags = `--dir ${place.dir} --service-dir ${place.serviceDir} --mount-path '/mnt/a b'`;
    expect(stdout).toContain(`  image-checker enable --dry-run ${flags}\n`);
    expect(stdout).toContain(`  image-checker enable ${flags}\n`);
    expect(stdout).toContain("'--admission-control-config-file=/mnt/a b/admission_config.yaml'");
    expect(stdout).toContain(`${place.dir} mounted at '/mnt/a b', read-only\n`);
  });

  it('says the same in JSON, and no key', async () => {
    const { code, stdout, stderr } = await setup(
      ...FOLDERS,
      '--server-host',
      'checker',
      '-o',
      'json',
    );
    expect([code, stderr]).toEqual([EXIT.ok, '']);
    expect(stdout).not.toContain('PRIVATE');
    const said = JSON.parse(stdout) as Said;
    expect(said.files).toHaveLength(12);
    for (const { path, mode } of said.files) {
      expect(((await fs.stat(path)).mode & 0o7777).toString(8).padStart(4, '0')).toBe(mode);
    }
    expect(said.certificates.map(({ role }) => role)).toEqual(['CA', 'server', 'client']);
    for (const { file, subject, names, sha256, notAfter } of said.certificates) {
      const certificate = new X509Certificate(await fs.readFile(file));
      expect(certificate.subject).toBe(subject);
      expect(certificate.fingerprint256).toBe(sha256);
      expect(Date.parse(certificate.validTo)).toBe(Date.parse(notAfter));
      expect(certificate.subjectAltName?.split(', ').length ?? 0).toBe(names.length);
    }
    const hosts = ['checker', 'localhost', '127.0.0.1', '::1', 'external-service'];
    expect(said.certificates[1]?.names).toEqual(hosts);
    expect([said.signingRequests, said.backup]).toEqual([[], null]);
    const flags = `--dir ${place.dir} --service-dir ${place.serviceDir}`;
    const curl = expect.stringMatching(/^curl --cacert .* https:\/\/checker:1234\/check-image$/);
    expect(said.nextSteps.map(({ commands }) => commands)).toEqual([
      [],
      [`image-checker serve --config ${place.serviceDir}/config.yaml`],
      ['curl http://127.0.0.1:9090/readyz', curl],
      [`image-checker enable --dry-run ${flags}`, `image-checker enable ${flags}`],
    ]);
    expect(said.nextSteps[0]?.what).toContain(`read ${place.serviceDir}/rules.yaml`);
  });

  it('says in JSON that nothing was missing, or where the copies are and what to restart', async () => {
    await setup(...FOLDERS);
    const nothing = { files: [], certificates: [], signingRequests: [], backup: null };
    const kept = await setup(...FOLDERS, '--if-missing', '-o', 'json');
    expect([kept.code, kept.stderr]).toEqual([EXIT.ok, '']);
    expect(JSON.parse(kept.stdout)).toEqual({ ...nothing, nextSteps: [] });
    const left = join(place.dir, '.kubeconf.image-checker-0011223344556677.new');
    await fs.writeFile(left, '');
    const { stdout, stderr } = await setup(...FOLDERS, '--force', '-o', 'json');
    expect(stderr).toContain(`warning: ${left}: left behind`);
    const said = JSON.parse(stdout) as Said;
    expect(said.files).toHaveLength(12);
    expect(said.backup).toContain(`${place.serviceDir}/backup-2`);
    const what = 'restart image-checker and kube-apiserver: the CA is new';
    expect(said.nextSteps[0]).toEqual({ what, commands: [] });
  });

  it('says in JSON what a CA elsewhere has to sign, and what goes where', async () => {
    const { stdout } = await setup(...FOLDERS, '--csr-only', '-o', 'json');
    const said = JSON.parse(stdout) as Said;
    expect(said.certificates).toEqual([]);
    expect(said.signingRequests).toEqual([
      {
        file: `${place.serviceDir}/server.csr`,
        role: 'server',
        certificate: `${place.serviceDir}/server-cert.pem`,
        ca: `${place.dir}/external-cert.pem`,
      },
      {
        file: `${place.serviceDir}/apiserver-client.csr`,
        role: 'client',
        certificate: `${place.dir}/apiserver-client-cert.pem`,
        ca: `${place.serviceDir}/client-ca.pem`,
      },
    ]);
    expect(said.nextSteps[0]?.what).toContain('signed by your CA');
  });

  it('refuses a second run, with the way out', async () => {
    await setup(...FOLDERS);
    const before = await snapshot(place.root);
    const { code, stdout, stderr } = await setup(...FOLDERS);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toContain(
      `image-checker: error: ${place.dir}/kubeconf: expected nothing here yet, got a file\n`,
    );
    expect(stderr.match(/error:/g)).toHaveLength(12);
    expect(stderr.match(/hint: --if-missing .* --force /g)).toHaveLength(1);
    expect(await snapshot(place.root)).toEqual(before);
  });

  it('says with --if-missing that nothing is missing', async () => {
    await setup(...FOLDERS);
    expect(await setup(...FOLDERS, '--if-missing')).toEqual({
      code: EXIT.ok,
      stdout: `nothing is missing in ${place.dir} and ${place.serviceDir}\n`,
      stderr: '',
    });
  });

  it('says with --force where the copies are and what to restart', async () => {
    await setup(...FOLDERS);
    const { code, stdout } = await setup(...FOLDERS, '--force');
    expect(code).toBe(EXIT.ok);
    expect(stdout).toContain(`what was there is kept in ${place.serviceDir}/backup-2`);
    expect(stdout).toContain('restart image-checker and kube-apiserver');
  });

  it('warns of what a killed run left', async () => {
    const left = join(place.dir, '.kubeconf.image-checker-0011223344556677.new');
    await fs.mkdir(place.dir);
    await fs.writeFile(left, '');
    const { code, stderr } = await setup(...FOLDERS);
    expect(code).toBe(EXIT.ok);
    expect(stderr).toBe(
      `image-checker: warning: ${left}: left behind by a run that was killed: it may be removed\n`,
    );
  });

  it('shows examples with --help', async () => {
    const { code, stdout } = await setup('--help');
    expect(code).toBe(EXIT.ok);
    expect(stdout).toContain('--server-host <host>');
    expect(stdout).toContain('Examples:\n  image-checker setup ');
  });

  it.each([
    ['an unknown option', ['--forec'], /unknown option '--forec'/],
    ['an argument', ['folder'], /too many arguments/],
    ['a missing value', ['--dir'], /argument missing/],
    ['a port that is none', ['--port', 'x'], /--port: expected a port from 1 to 65535, got 'x'/],
    ['two flags that exclude each other', ['--force', '--if-missing'], /expected one of/],
  ])('refuses %s', async (_title, args, message) => {
    const { code, stdout, stderr } = await setup(...FOLDERS, ...args);
    expect([code, stdout]).toEqual([EXIT.usage, '']);
    expect(stderr).toMatch(/^image-checker: error: /);
    expect(stderr).toMatch(message);
    expect(await snapshot(place.root)).toEqual({});
  });
});
