import { X509Certificate } from 'node:crypto';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { ImageCheckerError } from '../../src/errors.ts';
import { ALL_TARGETS, layOut, pathOf } from '../../src/setup/layout.ts';
import type { Target } from '../../src/setup/layout.ts';
import type { SetupFlags } from '../../src/setup/options.ts';
import { newKeyPair, newPlace, rejection, removePlace, setUp, snapshot } from './support.ts';
import type { Place } from './support.ts';

let place: Place;

beforeEach(async () => {
  place = await newPlace();
});

afterEach(async () => {
  await removePlace(place);
});

function path(target: Target): string {
  return pathOf(layOut({ admission: place.dir, service: place.serviceDir }, '/'), target);
}

async function textOf(target: Target): Promise<string> {
  return fs.readFile(path(target), 'utf8');
}

async function put(file: string, content = 'old', mode = 0o644): Promise<void> {
  await fs.mkdir(dirname(file), { recursive: true });
  await fs.writeFile(file, content);
  await fs.chmod(file, mode);
}

async function remove(...targets: readonly Target[]): Promise<void> {
  for (const target of targets) await fs.rm(path(target));
}

/** The refusal of a run, which must have changed nothing. */
async function refusal(flags: SetupFlags = {}, at = place): Promise<ImageCheckerError> {
  const before = await snapshot(at.root);
  const thrown = await rejection(setUp(at, flags));
  expect(await snapshot(at.root)).toEqual(before);
  expect(thrown).toBeInstanceOf(ImageCheckerError);
  return thrown as ImageCheckerError;
}

const filesAndModes = async (): Promise<Record<string, string>> => {
  const entries = Object.entries(await snapshot(place.root));
  return Object.fromEntries(entries.map(([name, text]) => [name, text.split(' ', 2).join(' ')]));
};

describe('setup in an empty place', () => {
  it.each([0o000, 0o022, 0o077, 0o777])(
    'makes every file with its mode under umask %i',
    async (umask) => {
      const former = process.umask(umask);
      try {
        await setUp(place);
      } finally {
        process.umask(former);
      }
      expect(await filesAndModes()).toEqual({
        admission: 'folder 755',
        'admission/admission_config.yaml': 'file 644',
        'admission/apiserver-client-cert.pem': 'file 644',
        'admission/apiserver-client-key.pem': 'file 600',
        'admission/external-cert.pem': 'file 644',
        'admission/kubeconf': 'file 644',
        service: 'folder 755',
        'service/client-ca.pem': 'file 644',
        'service/config.yaml': 'file 644',
        'service/pki': 'folder 700',
        'service/pki/ca-cert.pem': 'file 644',
        'service/pki/ca-key.pem': 'file 600',
        'service/rules.yaml': 'file 644',
        'service/server-cert.pem': 'file 644',
        'service/server-key.pem': 'file 600',
      });
    },
  );

  it('names the hosts that were asked for beside those that are always there', async () => {
    await setUp(place, { serverHost: ['2001:db8::1', 'checker', 'localhost'] });
    expect(new X509Certificate(await textOf('serverCertificate')).subjectAltName).toBe(
      'IP Address:2001:DB8:0:0:0:0:0:1, DNS:checker, DNS:localhost, ' +
        'IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:external-service',
    );
    expect(await textOf('kubeconf')).toContain('server: https://[2001:db8::1]:1234/check-image\n');
  });

  it('gives both sides the CA and neither its key', async () => {
    await setUp(place);
    const ca = await textOf('caCertificate');
    expect([await textOf('clientCa'), await textOf('externalCa')]).toEqual([ca, ca]);
    const key = await textOf('caKey');
    const tree = Object.entries(await snapshot(place.root));
    const holders = tree.filter(([, content]) => content.includes(key.slice(40, 200)));
    expect(holders.map(([name]) => name)).toEqual(['service/pki/ca-key.pem']);
  });

  it('names paths as kube-apiserver sees them', async () => {
    await setUp(place, { mountPath: '/mnt/a b/' });
    const kubeconf: unknown = parse(await textOf('kubeconf'));
    expect(kubeconf).toMatchObject({
      users: [{ user: { 'client-key': '/mnt/a b/apiserver-client-key.pem' } }],
    });
    expect(await textOf('admissionConfiguration')).toContain('kubeConfigFile: "/mnt/a b/kubeconf"');
  });

  it.each([`it's "quoted"`, 'a #b: [c]', 'ünï\ncode', '-dash', '%2e'])(
    'works in a folder named %j',
    async (name) => {
      const dir = join(place.root, name, 'admission');
      await setUp(place, { dir });
      const kubeconf: unknown = parse(await fs.readFile(join(dir, 'kubeconf'), 'utf8'));
      expect(kubeconf).toMatchObject({
        users: [{ user: { 'client-key': join(dir, 'apiserver-client-key.pem') } }],
      });
    },
  );

  it('works with both folders there already and with a link on the way', async () => {
    await fs.mkdir(join(place.root, 'elsewhere'));
    await fs.symlink('elsewhere', place.dir);
    await fs.mkdir(place.serviceDir, { mode: 0o700 });
    await setUp(place);
    expect(await filesAndModes()).toMatchObject({
      admission: 'link elsewhere',
      'elsewhere/kubeconf': 'file 644',
      service: 'folder 700',
    });
  });

  it('works with the folders on two file systems', async () => {
    const memory = await fs.stat('/dev/shm').catch(() => undefined);
    const other = memory === undefined ? tmpdir() : '/dev/shm';
    const serviceDir = await fs.mkdtemp(join(other, 'image-checker-setup-'));
    try {
      const { made } = await setUp(place, { serviceDir });
      expect(made).toHaveLength(ALL_TARGETS.length);
      expect((await fs.readdir(serviceDir)).sort()).toEqual([
        'client-ca.pem',
        'config.yaml',
        'pki',
        'rules.yaml',
        'server-cert.pem',
        'server-key.pem',
      ]);
    } finally {
      await fs.rm(serviceDir, { recursive: true });
    }
  });
});

describe('setup refuses', () => {
  it('to touch files that are there, and names them all', async () => {
    await put(path('kubeconf'));
    await put(path('caKey'));
    const { code, problems } = await refusal();
    expect(code).toBe('setup-refused');
    expect(problems.map(({ file }) => file)).toEqual([path('caKey'), path('kubeconf')]);
    expect(problems.at(-1)?.hint).toMatch(/--if-missing .*--force/);
  });

  it.each<[string, SetupFlags]>([
    ['without flags', {}],
    ['with --force', { force: true }],
  ])('a link in the place of a file %s', async (_title, flags) => {
    await put(join(place.root, 'victim'));
    await fs.mkdir(place.dir);
    await fs.symlink('../victim', path('kubeconf'));
    const { code, message } = await refusal(flags);
    expect(code).toBe('setup-refused');
    expect(message).toContain(path('kubeconf'));
  });

  it.each<[string, SetupFlags]>([
    ['without flags', {}],
    ['with --force', { force: true }],
    ['with --if-missing', { ifMissing: true }],
  ])('a folder, and a link to nowhere, in the place of a file %s', async (_title, flags) => {
    await fs.mkdir(path('kubeconf'), { recursive: true });
    await fs.mkdir(place.serviceDir);
    await fs.symlink('nowhere', path('rules'));
    const { code, problems } = await refusal(flags);
    expect(code).toBe('setup-refused');
    expect(problems.map(({ file }) => file)).toEqual([path('rules'), path('kubeconf')]);
  });

  it.each([
    ['the same folder', '.', '.'],
    ['the service folder in the admission folder', '.', 'service'],
    ['the admission folder in the service folder', 'admission', '.'],
    ['one folder under two names', 'a', 'link'],
    ['a folder behind a link', 'a', 'link/service'],
    ['a link into a folder that does not exist yet', 'a/b/c', 'link/b'],
  ])('%s', async (_title, dir, serviceDir) => {
    await fs.mkdir(join(place.root, 'a'));
    await fs.symlink('a', join(place.root, 'link'));
    const { code, message } = await refusal({ dir, serviceDir });
    expect(code).toBe('setup-refused');
    expect(message).toMatch(/expected --dir and --service-dir apart/);
  });

  it('a pki folder that leads into the admission folder', async () => {
    await fs.mkdir(place.dir);
    await fs.mkdir(place.serviceDir);
    await fs.symlink(place.dir, join(place.serviceDir, 'pki'));
    expect((await refusal()).message).toMatch(/expected --dir and --service-dir apart/);
  });

  it('a file in the place of a folder', async () => {
    await put(place.dir);
    expect((await refusal()).code).toBe('file-unreadable');
  });

  it.each(['EACCES', 'EPERM', 'EROFS'])('a folder that may not be written (%s)', async (code) => {
    const mkdir = (): Promise<never> => Promise.reject(Object.assign(new Error(code), { code }));
    const ports = { fs: { ...fs, mkdir: mkdir as unknown as typeof fs.mkdir } };
    const thrown = await rejection(setUp(place, {}, ports));
    expect(thrown).toMatchObject({
      code: 'file-unwritable',
      problems: [{ file: place.dir, hint: expect.stringMatching(/as root.*--dir/) }],
    });
    expect(await snapshot(place.root)).toEqual({});
  });
});

describe('setup --force', () => {
  it('makes everything anew and keeps a copy of what was there', async () => {
    await put(path('caKey'), 'old key', 0o400);
    await put(path('kubeconf'), 'old kubeconf', 0o640);
    await put(join(place.dir, 'unrelated'), 'unrelated');
    const { backup, made } = await setUp(place, { force: true });
    expect(backup).toBe(join(place.serviceDir, 'backup-20260801T120000Z'));
    expect(made).toHaveLength(ALL_TARGETS.length);
    expect(await textOf('caKey')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    const tree = await snapshot(place.root);
    expect(tree).toMatchObject({
      'service/backup-20260801T120000Z': 'folder 700',
      'service/backup-20260801T120000Z/admission': 'folder 700',
      'service/backup-20260801T120000Z/admission/kubeconf': 'file 640 old kubeconf',
      'service/backup-20260801T120000Z/service': 'folder 700',
      'service/backup-20260801T120000Z/service/pki': 'folder 700',
      'service/backup-20260801T120000Z/service/pki/ca-key.pem': 'file 400 old key',
      'admission/unrelated': 'file 644 unrelated',
    });
    expect(Object.keys(tree)).toHaveLength(15 + 6 + 1);
  });

  it('makes no backup of nothing', async () => {
    expect((await setUp(place, { force: true })).backup).toBeUndefined();
    expect(Object.keys(await snapshot(place.root))).toHaveLength(15);
  });

  it('keeps one backup a run, even within a second', async () => {
    await put(path('rules'), 'first');
    await setUp(place, { force: true });
    const { backup } = await setUp(place, { force: true });
    expect(backup).toBe(join(place.serviceDir, 'backup-20260801T120000Z-2'));
    const first = join(place.serviceDir, 'backup-20260801T120000Z/service/rules.yaml');
    expect(await fs.readFile(first, 'utf8')).toBe('first');
  });

  it('leaves a file to the user who owned it', async () => {
    if (process.getuid?.() !== 0) return;
    await put(path('serverKey'));
    await fs.chown(path('serverKey'), 4711, 4712);
    await setUp(place, { force: true });
    expect(await fs.stat(path('serverKey'))).toMatchObject({ uid: 4711, gid: 4712 });
  });
});

describe('setup --if-missing', () => {
  const again = (flags: SetupFlags = {}): ReturnType<typeof setUp> =>
    setUp(place, { ifMissing: true, ...flags });

  it('makes everything in an empty place', async () => {
    expect((await again()).made).toHaveLength(ALL_TARGETS.length);
  });

  it('touches nothing when nothing is missing', async () => {
    await setUp(place);
    const before = await snapshot(place.root);
    expect((await again()).made).toEqual([]);
    expect(await snapshot(place.root)).toEqual(before);
  });

  it.each<[string, Target[]]>([
    ['the documents', ['rules', 'serviceConfig', 'kubeconf', 'admissionConfiguration']],
    ['the server pair', ['serverKey', 'serverCertificate']],
    ['the client pair', ['clientKey', 'clientCertificate']],
    ['the copies of the CA', ['clientCa', 'externalCa']],
    ['one copy of the CA', ['externalCa']],
    ['all but the CA', ALL_TARGETS.filter((target) => !target.startsWith('ca'))],
  ])('makes %s and nothing else', async (_title, targets) => {
    await setUp(place);
    const before = await snapshot(place.root);
    await remove(...targets);
    const { made } = await again();
    expect(made.map(({ target }) => target)).toEqual(targets.toSorted(inOrder));
    const after = await snapshot(place.root);
    expect(Object.keys(after)).toEqual(Object.keys(before));
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
    const pems = targets.filter((target) => /^(?:server|client)(?:Key|Certificate)$/.test(target));
    expect(changed.map((name) => join(place.root, name)).sort()).toEqual(expectedChanges(pems));
    const ca = new X509Certificate(await textOf('caCertificate'));
    for (const leaf of ['serverCertificate', 'clientCertificate'] as const) {
      expect(new X509Certificate(await textOf(leaf)).verify(ca.publicKey)).toBe(true);
    }
  });

  const inOrder = (a: Target, b: Target): number => ALL_TARGETS.indexOf(a) - ALL_TARGETS.indexOf(b);
  const expectedChanges = (targets: readonly Target[]): string[] => targets.map(path).sort();

  it('needs no CA of its own as long as nothing is to be signed', async () => {
    await setUp(place);
    await fs.rm(join(place.serviceDir, 'pki'), { recursive: true });
    await remove('kubeconf');
    const { made } = await again();
    expect(made.map(({ target }) => target)).toEqual(['kubeconf']);
    await expect(fs.stat(join(place.serviceDir, 'pki'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('takes a file behind a link for present', async () => {
    await setUp(place);
    await fs.rename(path('rules'), join(place.root, 'mine.yaml'));
    await fs.symlink('../mine.yaml', path('rules'));
    expect((await again()).made).toEqual([]);
  });

  it.each<[string, Target[], Target]>([
    ['a server key without its certificate', ['serverCertificate'], 'serverKey'],
    ['a server certificate without its key', ['serverKey'], 'serverCertificate'],
    ['a client key without its certificate', ['clientCertificate'], 'clientKey'],
    ['a client certificate without its key', ['clientKey'], 'clientCertificate'],
    ['a CA key without its certificate', ['caCertificate'], 'caKey'],
    ['a leaf to make without the CA key', ['caKey', 'clientKey', 'clientCertificate'], 'caKey'],
    ['a copy to make without the CA', ['caKey', 'caCertificate', 'clientCa'], 'caCertificate'],
    ['a CA gone, its copies left', ALL_TARGETS.filter((t) => !t.endsWith('Ca')), 'caCertificate'],
  ])('refuses %s', async (_title, gone, named) => {
    await setUp(place);
    await remove(...gone);
    const { code, problems } = await refusal({ ifMissing: true });
    expect(code).toBe('setup-refused');
    expect(problems[0]?.file).toBe(path(named));
    expect(problems[0]?.hint).toBeDefined();
  });

  it.each<[string, Target, () => Promise<string>, RegExp]>([
    [
      'another key',
      'caKey',
      async () => Promise.resolve(newKeyPair(2048).privateKey),
      /expected the key of/,
    ],
    ['a key that is no PEM', 'caKey', async () => Promise.resolve('x'), /expected PEM/],
    [
      'a certificate that is no PEM',
      'caCertificate',
      async () => Promise.resolve('x'),
      /expected PEM/,
    ],
  ])('refuses a CA with %s', async (_title, target, content, message) => {
    await setUp(place);
    await remove('serverKey', 'serverCertificate');
    await put(path(target), await content());
    const refused = await refusal({ ifMissing: true });
    expect(refused.code).toBe('setup-refused');
    expect(refused.message).toMatch(message);
  });

  it('refuses a leaf in the place of the CA', async () => {
    await setUp(place);
    await put(path('caCertificate'), await textOf('serverCertificate'));
    await put(path('caKey'), await textOf('serverKey'));
    await remove('serverKey', 'serverCertificate');
    expect((await refusal({ ifMissing: true })).message).toMatch(/expected a CA, got/);
  });

  it('refuses a CA that has ended', async () => {
    await setUp(place, {}, { now: () => new Date('2010-01-01T00:00:00Z') });
    await remove('serverKey', 'serverCertificate');
    expect((await refusal({ ifMissing: true })).message).toMatch(/expected a CA in force/);
  });

  it('takes the port from a config file that stays', async () => {
    await setUp(place, { port: '4000' });
    await remove('kubeconf');
    const { warnings } = await again();
    expect(await textOf('kubeconf')).toContain('server: https://127.0.0.1:4000/check-image\n');
    expect(warnings).toEqual([]);
  });

  it('warns of a port and a host that files which stay do not have', async () => {
    await setUp(place, { port: '4000', serverHost: ['10.0.0.7'] });
    await remove('kubeconf');
    const { warnings } = await again({ port: '4001', serverHost: ['10.0.0.7', 'other'] });
    expect(warnings.map(({ file, message }) => [file, message])).toEqual([
      [path('serviceConfig'), 'expected listen.port 4001, got 4000, which stays'],
      [
        path('serverCertificate'),
        'expected a certificate for other, got one without it, which stays',
      ],
    ]);
  });
});
