import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { script } from './lab.ts';

/** A real docker-registry on loopback, and real cosign of two versions. */
export interface RegistryLab {
  /** `localhost:PORT`, as image references name it. */
  readonly host: string;
  /** The folder of `up.sh`, whose `--help` says what is in it: `ca.pem`, `puller.json`, ... */
  readonly state: string;
  /** Pushes an image or index by `image.js`; `REPOSITORY@DIGEST`, behind an index its children's. */
  image(...args: readonly string[]): Promise<readonly string[]>;
  /** Runs a real cosign and returns its output; rejects when it fails. */
  cosign(version: '2.5' | '3.1', ...args: readonly string[]): Promise<string>;
  /** The path of a file in `state`. */
  file(name: string): string;
  /** What was asked of it so far: `GET /v2/...`, oldest first. */
  requests(): Promise<readonly string[]>;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

/** Should this process end without `stop`, the registry goes with it. */
export async function startRegistryLab(
  auth: 'basic' | 'bearer' | 'none' = 'basic',
): Promise<RegistryLab> {
  const state = await mkdtemp(join(tmpdir(), 'image-checker-registry-'));
  const inState = ['--state', state];
  const file = (name: string): string => join(state, name);
  const owner = ['--owner', String(process.pid)];
  const host = await script('registry/up.sh', [...inState, '--auth', auth, ...owner]);
  return {
    host,
    state,
    file,
    image: async (...args) =>
      (await script('registry/image.js', [...inState, ...args])).split('\n'),
    cosign: (version, ...args) => script('registry/cosign.sh', [...inState, version, ...args]),
    async requests() {
      const log = await readFile(file('registry.log'), 'utf8');
      return Array.from(
        log.matchAll(/"((?:GET|HEAD|PUT|POST) \S+) HTTP/g),
        ([, call = '']) => call,
      );
    },
    async stop() {
      await script('registry/down.sh', inState);
      await rm(state, { recursive: true, force: true });
    },
  };
}
