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
