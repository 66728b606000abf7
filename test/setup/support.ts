import { generateKeyPairSync, randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSetupFlags } from '../../src/setup/options.ts';
import type { SetupFlags } from '../../src/setup/options.ts';
import type { KeyPair } from '../../src/setup/pki.ts';
import { setup } from '../../src/setup/setup.ts';
import type { SetupPorts, SetupResult } from '../../src/setup/setup.ts';

export const NOW = new Date('2026-08-01T12:00:00.250Z');

/** Small enough to be quick, long enough for TLS; the real lengths have a test of their own. */
const POOL_SIZE = 3;
const pool: KeyPair[] = [];
let taken = 0;

/** Keys out of a small pool: no two neighbours are the same. */
export function pooledKeyPair(): Promise<KeyPair> {
  const key = (pool[taken % POOL_SIZE] ??= newKeyPair(2048));
  taken += 1;
  return Promise.resolve(key);
}

export function newKeyPair(modulusLength: number): KeyPair {
  return generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

export function testPorts(overrides: Partial<SetupPorts> = {}): SetupPorts {
  return {
    now: () => NOW,
    randomBytes: (size) => randomBytes(size),
    generateKeyPair: pooledKeyPair,
    fs,
    signal: new AbortController().signal,
    ...overrides,
  };
}

/** A folder of its own for one test, with the two folders of an installation not yet in it. */
export interface Place {
  readonly root: string;
  readonly dir: string;
  readonly serviceDir: string;
}

export async function newPlace(): Promise<Place> {
  const root = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'image-checker-setup-')));
  return { root, dir: join(root, 'admission'), serviceDir: join(root, 'service') };
}

export async function removePlace({ root }: Place): Promise<void> {
  await fs.rm(root, { recursive: true, force: true });
}

export function setUp(
  place: Place,
  flags: SetupFlags = {},
  ports: Partial<SetupPorts> = {},
): Promise<SetupResult> {
  const { dir, serviceDir, root } = place;
  return setup(readSetupFlags({ dir, serviceDir, ...flags }, root), testPorts(ports));
}

/** Every path below a folder with its kind, mode and content. */
export async function snapshot(root: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const name of (await fs.readdir(root, { recursive: true })).sort()) {
    const path = join(root, name);
    const stats = await fs.lstat(path);
    const mode = (stats.mode & 0o7777).toString(8);
    if (stats.isDirectory()) tree[name] = `folder ${mode}`;
    else if (stats.isSymbolicLink()) tree[name] = `link ${await fs.readlink(path)}`;
    else tree[name] = `file ${mode} ${await fs.readFile(path, 'utf8')}`;
  }
  return tree;
}

/** A file system that calls back before every call that may fail, handles included. */
export function watchedFs(before: (call: number, name: string) => Promise<void>): typeof fs {
  let calls = 0;
  const watch = <T extends object>(target: T, skip: readonly string[] = []): T =>
    new Proxy(target, {
      get(object, key) {
        const member: unknown = Reflect.get(object, key, object);
        if (typeof member !== 'function' || skip.includes(String(key))) return member;
        return async (...args: unknown[]): Promise<unknown> => {
          calls += 1;
          await before(calls, String(key));
          const result: unknown = await Reflect.apply(member, object, args);
          return key === 'open' ? watch(result as object) : result;
        };
      },
    });
  return watch(fs);
}

/** The code and the problems of what a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (thrown) {
    return thrown;
  }
  throw new Error('expected a rejection, got a result');
}
