import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseImageReference } from '../../src/parse/image-reference.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { loadPolicy } from '../../src/rules/load.ts';
import { verifySignatures } from '../../src/verify/verify-signatures.ts';
import type { Kind } from '../support/cosign.ts';
import { run } from '../support/lab.ts';
import { startRegistryLab } from '../support/registry-lab.ts';
import type { RegistryLab } from '../support/registry-lab.ts';
import { startReferrersApi } from './referrers-api.ts';

/** A way in which cosign puts signatures beside images. */
export interface Format {
  readonly name: string;
  readonly cosign: '2.5' | '3.1';
  readonly sign: readonly string[];
  readonly verify: readonly string[];
  /** Whether what is signed is a statement in a bundle, and no payload of simple signing. */
  readonly bundle: boolean;
  /** Whether the registry has the referrers API. */
  readonly api: boolean;
}

const OFFLINE = ['--use-signing-config=false'];
const bundle = { cosign: '3.1', sign: OFFLINE, verify: [], bundle: true } as const;
const legacy = { cosign: '2.5', sign: [], verify: [], bundle: false, api: false } as const;

export const FORMATS: readonly Format[] = [
  { ...legacy, name: 'cosign 2.5' },
  {
    ...legacy,
    name: 'cosign 2.5 as referrers',
    sign: ['--registry-referrers-mode', 'oci-1-1'],
    verify: ['--experimental-oci11=true'],
  },
  {
    ...legacy,
    name: 'cosign 3.1 in the older format',
    cosign: '3.1',
    sign: [...OFFLINE, '--new-bundle-format=false'],
    verify: ['--new-bundle-format=false'],
  },
  { ...bundle, name: 'cosign 3.1, fallback tag', api: false },
  { ...bundle, name: 'cosign 3.1, referrers API', api: true },
];

/** A key of cosign's, and the files of its halves. */
export interface KeyFiles {
  readonly privateKey: string;
  readonly publicKey: string;
}

export interface SignatureLab {
  readonly lab: RegistryLab;
  /** `localhost:PORT` of the registry with or without the referrers API. */
  hostOf(format: Format): string;
  newKey(kind: Kind, name: string): Promise<KeyFiles>;
  sign(format: Format, key: KeyFiles, image: string, ...more: readonly string[]): Promise<void>;
  /** What `cosign verify` of the same version says. */
  cosignAccepts(
    format: Format,
    key: KeyFiles,
    image: string,
    ...more: readonly string[]
  ): Promise<boolean>;
  /** What an entry of `require.signatures` has against an image; empty for nothing. */
  refusals(image: string, key: KeyFiles, entry?: object): Promise<readonly string[]>;
  /** The folder of a registry for `scripts/lab/registry/push.js`. */
  stateOf(format: Format): string;
  stop(): Promise<void>;
}

export async function startSignatureLab(): Promise<SignatureLab> {
  const lab = await startRegistryLab('basic');
  const api = await startReferrersApi(lab);
  const apiState = await addAccount(lab, api.host);
  const ca = lab.file('ca.pem');
  const host = { ca, plainHttp: false };
  const credentials = [join(lab.file('docker'), 'config.json')];
  const hosts = new Map([
    [lab.host, host],
    [api.host, host],
  ]);
  const registry = createRegistry(
    { credentials, hosts: Object.fromEntries(hosts) },
    { now: Date.now, random: Math.random, env: {} },
  );
  return {
    lab,
    hostOf: (format) => (format.api ? api.host : lab.host),
    stateOf: (format) => (format.api ? apiState : lab.state),
    newKey: (kind, name) => newKey(lab, kind, name),
    async sign(format, key, image, ...more) {
      const args = ['sign', '--key', key.privateKey, '--tlog-upload=false', ...format.sign];
      await runCosign(lab, format, [...args, ...more, '-y', image]);
    },
    async cosignAccepts(format, key, image, ...more) {
      const args = ['verify', '--key', key.publicKey, '--insecure-ignore-tlog=true'];
      return accepts(runCosign(lab, format, [...args, ...format.verify, ...more, image]));
    },
    async refusals(image, key, entry = {}) {
      const rules = lab.file('rules.yaml');
      await writeFile(rules, rulesWith({ keys: [key.publicKey], ...entry }));
      const [rule] = (await loadPolicy(rules)).rules;
      const parsed = parseImageReference(image);
      if (!parsed.ok || rule?.require.registry === undefined) throw new Error(image);
      const { signatures } = rule.require.registry;
      const { reference } = parsed;
      const signal = AbortSignal.timeout(20_000);
      const digest = reference.digest ?? '';
      const manifest = await registry.manifest(reference, digest, signal);
      if (manifest === undefined) throw new Error(`no ${image}`);
      const context = { registry, signal, now: Date.now };
      return verifySignatures({ reference, digest, manifest }, signatures, context);
    },
    async stop() {
      registry.close();
      await api.stop();
      await lab.stop();
    },
  };
}

const SCRIPT = join(import.meta.dirname, '../../scripts/lab/registry/cosign.sh');

/** Referrers are one of the experiments of cosign 2.5. */
async function runCosign(
  lab: RegistryLab,
  { cosign }: Format,
  args: readonly string[],
): Promise<void> {
  const call = ['COSIGN_EXPERIMENTAL=1', SCRIPT, '--state', lab.state, cosign, ...args];
  const { code, stderr } = await run('env', call, { timeout: 60_000 });
  if (code !== 0) throw new Error(`cosign ended with ${code}\n${stderr}`);
}

function rulesWith(entry: object): string {
  return JSON.stringify({
    apiVersion: 'image-checker/v1',
    kind: 'ImagePolicy',
    metadata: { name: 'signed' },
    spec: { rules: [{ name: 'signed', require: { digest: true, signatures: [entry] } }] },
  });
}

/** Lets the users of the lab's registry in at another host; a state folder for that host. */
async function addAccount(lab: RegistryLab, host: string): Promise<string> {
  const file = join(lab.file('docker'), 'config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as { auths: Record<string, unknown> };
  const auths = { ...config.auths, [host]: config.auths[lab.host] };
  await writeFile(file, JSON.stringify({ ...config, auths }));
  const state = lab.file('api');
  await mkdir(state);
  for (const name of ['ca.pem', 'pusher.password']) await cp(lab.file(name), join(state, name));
  await writeFile(join(state, 'host'), host);
  return state;
}

async function newKey(lab: RegistryLab, kind: Kind, name: string): Promise<KeyFiles> {
  const prefix = lab.file(name);
  await writeFile(`${prefix}.pem`, pemOf(kind));
  const args = ['import-key-pair', '--key', `${prefix}.pem`, '--output-key-prefix', prefix, '-y'];
  await lab.cosign('3.1', ...args);
  return { privateKey: `${prefix}.key`, publicKey: `${prefix}.pub` };
}

function pemOf(kind: Kind): string {
  const pair =
    kind === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : kind === 'Ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: kind });
  return pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** How cosign says that it has looked and does not accept. */
const REFUSED =
  /no matching (?:signatures|attestations)|no signatures found|invalid signature|failed to verify/i;

async function accepts(verified: Promise<void>): Promise<boolean> {
  try {
    await verified;
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && REFUSED.test(thrown.message)) return false;
    throw thrown;
  }
}
