import { chmod, cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../e2e/eventually.ts';
import { newKeyPair, newTestPki } from '../support/certificates.ts';
import type { TestPki } from '../support/certificates.ts';
import { startLoad } from './load.ts';
import type { Load } from './load.ts';
import { asOwner } from './programs.ts';
import { allReloaded, failedReload, launch, newPlace, start } from './service-process.ts';
import type { Place, ServiceProcess } from './service-process.ts';

let pki: TestPki;
let place: Place;
let service: ServiceProcess;
let load: Load;

beforeAll(async () => {
  pki = await newTestPki();
  place = await newPlace(pki);
  service = await start(place, { under: asOwner() });
  load = startLoad(place.caller);
});

afterAll(async () => {
  await load.stop();
  await service.stop();
  await place.remove();
});

type Damage = (file: string) => Promise<unknown> | undefined;

/** Puts another thing in the place of a file. */
const replaceBy =
  (make: Damage): Damage =>
  async (file) => {
    await rm(file);
    await make(file);
  };
const cutTo =
  (share: number): Damage =>
  async (file) => {
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(0, text.length * share));
  };
const pipe: Damage = (file) => {
  execFileSync('mkfifo', [file]);
  return undefined;
};

const RULES_FAULTS: readonly [string, Damage, string | RegExp][] = [
  ['deleted', (file) => rm(file), 'no such file'],
  ['emptied', cutTo(0), 'expected a mapping'],
  ['cut off in the middle', cutTo(0.6), /expected|not YAML/],
  ['replaced by a folder', replaceBy((file) => mkdir(file)), 'it is a folder'],
  ['replaced by a link to itself', replaceBy((file) => symlink(file, file)), 'ELOOP'],
  ['replaced by a pipe that nobody writes to', replaceBy(pipe), 'it is no ordinary file'],
  ['replaced by bytes', (file) => writeFile(file, Buffer.from('ff00fe01', 'hex')), /expected|not/],
  [
    'larger than any rules',
    (file) => writeFile(file, Buffer.alloc(17 << 20, 10)),
    'it has more than',
  ],
  ['made unreadable', (file) => chmod(file, 0), 'permission denied'],
];

const CERTIFICATE_FAULTS: readonly [string, 'certificate' | 'key' | 'clientCA', Damage, string][] =
  [
    ['half of the certificate', 'certificate', cutTo(0.5), 'expected a PEM certificate'],
    ['half of the key', 'key', cutTo(0.5), 'expected a PEM private key'],
    ['a certificate without its key', 'key', otherKey, 'name the two files of one pair|does not'],
    ['an empty client CA', 'clientCA', cutTo(0), 'expected a PEM certificate'],
    ['no client CA', 'clientCA', (file) => rm(file), 'no such file'],
    [
      'a key that everybody can read',
      'key',
      (file) => chmod(file, 0o644),
      'expected a private key',
    ],
    ['a key that is a folder', 'key', replaceBy((file) => mkdir(file)), 'it is a folder'],
  ];

function otherKey(file: string): Promise<void> {
  return writeFile(file, newKeyPair().privateKey);
}

/** Damages a file under load, sees the service go on as before, and puts the file back. */
async function survives(file: string, damage: Damage, what: string, why: string | RegExp) {
  const copy = join(dirname(file), 'as-it-was');
  await cp(file, copy, { preserveTimestamps: false });
  try {
    await damage(file);
    await failedReload(place, what, why);
    await load.more(40);
    const other = { ...place, configFile: await otherPorts() };
    expect(await launch(other, { under: asOwner() }).ended).toBe(2);
  } finally {
    await rm(file, { recursive: true, force: true });
    await rename(copy, file);
  }
  await allReloaded(place);
  await load.more(20);
  expect(load.failuresSince()).toEqual([]);
  expect(load.seen.wrong).toEqual([]);
}

/** The same config with ports that nobody has: of a second service, as after a restart. */
async function otherPorts(): Promise<string> {
  const file = join(place.folder, 'other.yaml');
  const config = JSON.parse(await readFile(place.configFile, 'utf8')) as object;
  const free = { host: '127.0.0.1', port: 0 };
  await writeFile(file, JSON.stringify({ ...config, listen: free, admin: free }));
  return file;
}

describe('goes on by the rules it has, and does not start without, when the rules file is', () => {
  it.each(RULES_FAULTS)('%s', async (_title, damage, why) => {
    await survives(place.config.rules, damage, 'rules', why);
  });
});

describe('goes on with the certificates it has, and does not start without, given', () => {
  it.each(CERTIFICATE_FAULTS)('%s', async (_title, which, damage, why) => {
    await survives(place.config.tls[which], damage, 'certificates', new RegExp(why));
  });
});

it('takes the rules that come after all that', async () => {
  const text = await readFile(place.config.rules, 'utf8');
  await load.stop();
  await writeFile(place.config.rules, text.replace('[docker.io]', '[quay.example]'));
  await eventually('new rules', () => service.logged('rules reloaded')[0]);
  load = startLoad(place.caller, { trusted: 'quay.example/shop/app' });
  await load.more(40);
  expect(load.seen.wrong).toEqual([]);
});
