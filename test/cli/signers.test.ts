import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import {
  attestationLayer,
  newSigningKey,
  pushTagged,
  signBundle,
  signTagged,
  simpleSigningLayer,
} from '../support/cosign.ts';
import type { SigningKey } from '../support/cosign.ts';
import { newMemoryRegistry, pushImage } from '../support/memory-registry.ts';
import type { MemoryRegistry } from '../support/memory-registry.ts';
import { servedBy } from '../support/memory-server.ts';
import { newRegistryWorld } from '../support/registry-server.ts';
import type { RegistryWorld, TestServer } from '../support/registry-server.ts';
import { issue } from '../support/x509.ts';
import { call } from './call.ts';
import type { Called } from './call.ts';

const BUNDLE_INDEX = 'application/vnd.oci.image.index.v1+json';
const KEY = newSigningKey();
const STRANGER = newSigningKey();
const ROOT = issue({ subject: 'root', isAuthority: true });

let world: RegistryWorld;
let server: TestServer;
let registry: MemoryRegistry;
let repository: string;

beforeAll(async () => {
  world = await newRegistryWorld();
  registry = newMemoryRegistry();
  server = await world.serve(servedBy(registry, () => server.host));
  repository = `${server.host}/team/app`;
  const tls = { certificate: 'c.pem', key: 'k.pem', clientCA: 'a.pem' };
  const registries = { hosts: { [server.host]: { ca: 'ca.pem' } } };
  const head = { apiVersion: 'image-checker/v1', kind: 'ServiceConfig' };
  await world.file('config.yaml', JSON.stringify({ ...head, tls, rules: 'x', registries }));
  await world.file('cosign.pub', pemOf(KEY));
  await world.file('signers-ca.pem', ROOT.pem);
});

afterAll(async () => {
  await world.close();
});

function pemOf({ trusted }: SigningKey): string {
  return trusted.key.export({ type: 'spki', format: 'pem' }).toString();
}

/** What `check --verify` prints of an image, by one rule that requires this. */
async function check(image: string, require: object, ...args: string[]): Promise<Called> {
  const policy = {
    apiVersion: 'image-checker/v1',
    kind: 'ImagePolicy',
    metadata: { name: 'cluster-policy' },
    spec: { rules: [{ name: 'signed-by-us', require }] },
  };
  await writeFile(join(world.folder, 'rules.yaml'), JSON.stringify(policy));
  const flags = ['--rules', 'rules.yaml', '--verify', '--config', 'config.yaml'];
  const env = { HOME: world.folder };
  return call(['check', image, ...flags, ...args], { cwd: world.folder, env });
}

/** The lines below the rule, without what differs between runs. */
function explanationIn({ stdout }: Called): string[] {
  const lines = stdout.split('\n').filter((line) => line.startsWith('    '));
  return lines.map((line) => line.slice(4).replaceAll(/[0-9a-f]{64}/g, '...'));
}

async function newImage(seed: string): Promise<{ digest: string; image: string }> {
  const { digest } = await pushImage(registry, repository, seed);
  return { digest, image: `${repository}:v1@${digest}` };
}

/** Lists a referrer where registries without the API have them. */
function listReferrers(digest: string, ...referrers: readonly string[]): void {
  const manifests = referrers.map((each) => ({ mediaType: 'x', digest: each, size: 1 }));
  const content = { schemaVersion: 2, mediaType: BUNDLE_INDEX, manifests };
  registry.putManifest(repository, content, [digest.replace(':', '-')]);
}

/** One that counts, in a bundle, and two of cosign 2's that do not. */
async function disputedImage(seed: string): Promise<{ digest: string; image: string }> {
  const { digest, image } = await newImage(seed);
  const foreign = { key: KEY, repository: `${server.host}/test/app`, digest };
  pushTagged(registry, { repository, digest }, [
    simpleSigningLayer(registry, { key: STRANGER, repository, digest }),
    simpleSigningLayer(registry, foreign, repository),
  ]);
  listReferrers(digest, signBundle(registry, { key: KEY, repository, digest }));
  return { digest, image };
}

const BY_KEY = { signatures: [{ keys: ['cosign.pub'] }] };

describe('check --verify tells of each signature', () => {
  it('whose it is, and why it counts or does not, though one is enough', async () => {
    const { image } = await disputedImage('told');
    const called = await check(image, BY_KEY);
    expect([called.code, called.stderr]).toEqual([EXIT.ok, '']);
    expect(explanationIn(called)).toEqual([
      'for a signature by cosign.pub: found',
      '  not counted  simple signing in tag sha256-....sig, layer 1: by no trusted key',
      '  not counted  simple signing in tag sha256-....sig, layer 2: by cosign.pub (key SHA-256 ...): for another repository',
      '  counts       bundle in referrer sha256:..., layer 1 (by the fallback tag): by cosign.pub (key SHA-256 ...)',
    ]);
    expect(called.stdout).toContain(`(key SHA-256 ${KEY.trusted.id})`);
  });

  it('and asks for nothing twice', async () => {
    const { image } = await disputedImage('requests');
    const asked = server.requests.length;
    await check(image, BY_KEY);
    const requests = server.requests.slice(asked).filter((each) => !each.endsWith('/v2/'));
    expect(requests.length).toBeGreaterThan(5);
    expect(new Set(requests).size).toBe(requests.length);
  });

  it('of a refused image', async () => {
    const { digest, image } = await newImage('refused');
    signTagged(registry, { key: STRANGER, repository, digest });
    const called = await check(image, BY_KEY);
    expect(called.code).toBe(EXIT.finding);
    expect(explanationIn(called)).toEqual([
      'for a signature by cosign.pub: found',
      '  not counted  simple signing in tag sha256-....sig, layer 1: by no trusted key',
    ]);
  });

  it('that there is none', async () => {
    const called = await check((await newImage('bare')).image, BY_KEY);
    expect(called.code).toBe(EXIT.finding);
    expect(explanationIn(called)).toEqual(['for a signature by cosign.pub: nothing found']);
  });

  it('entry by entry', async () => {
    const { digest, image } = await newImage('entries');
    signTagged(registry, { key: KEY, repository, digest });
    const signatures = [{ keys: ['cosign.pub'] }, { keys: [pemOf(STRANGER)] }];
    const called = await check(image, { signatures });
    expect(called.code).toBe(EXIT.finding);
    expect(explanationIn(called)).toEqual([
      'for a signature by cosign.pub: found',
      '  counts       simple signing in tag sha256-....sig, layer 1: by cosign.pub (key SHA-256 ...)',
      'for a signature by inline key 1: found',
      '  not counted  simple signing in tag sha256-....sig, layer 1: by no trusted key',
    ]);
  });

  it.each([
    ['release@example.com', EXIT.ok, 'counts       ', 'by release@example.com'],
    [
      'mallory@example.com',
      EXIT.finding,
      'not counted  ',
      'by no trusted identity: mallory@example.com',
    ],
  ])('by the name in its certificate: %s', async (name, code, mark, who) => {
    const { digest, image } = await newImage(name);
    const leaf = issue({ subject: 'leaf', issuer: ROOT, names: [['mail', name]] });
    signTagged(registry, { key: leaf.key, repository, digest, certificate: leaf.pem });
    const identities = [{ san: 'release@example.com' }];
    const signatures = [{ certificateChain: 'signers-ca.pem', identities }];
    const called = await check(image, { signatures });
    expect(called.code).toBe(code);
    expect(explanationIn(called)).toEqual([
      'for a signature by release@example.com: found',
      `  ${mark}simple signing in tag sha256-....sig, layer 1: ${who}`,
    ]);
  });

  it('but not the name in a certificate that nobody trusted has issued', async () => {
    const { digest, image } = await newImage('untrusted');
    const leaf = issue({ subject: 'leaf', names: [['mail', 'release@example.com']] });
    signTagged(registry, { key: leaf.key, repository, digest, certificate: leaf.pem });
    const identities = [{ san: 'release@example.com' }];
    const signatures = [{ certificateChain: 'signers-ca.pem', identities }];
    const called = await check(image, { signatures });
    expect(called.code).toBe(EXIT.finding);
    expect(explanationIn(called)[1]).toBe(
      '  not counted  simple signing in tag sha256-....sig, layer 1: with a certificate of no trusted authority',
    );
  });

  it('where rules that ask the same share a verdict, and an image stands twice', async () => {
    const { image } = await disputedImage('twice');
    const { stdout } = await check(image, BY_KEY, image);
    expect(stdout.match(/ {6}counts/g)).toHaveLength(2);
  });
});

const PROVENANCE = 'https://slsa.dev/provenance/v1';

describe('check --verify tells of each attestation', () => {
  it('of what it is, whose, and what it lacks', async () => {
    const { digest, image } = await newImage('attested');
    const about = { key: KEY, repository, digest };
    const vuln = 'https://example.com/evil\u001b[2J\u202e';
    pushTagged(
      registry,
      about,
      [
        attestationLayer(registry, about, { predicateType: PROVENANCE, predicate: { level: 1 } }),
        attestationLayer(registry, about, { predicateType: PROVENANCE, predicate: { level: 3 } }),
        attestationLayer(registry, about, { predicateType: vuln, predicate: {} }),
        attestationLayer(
          registry,
          { ...about, key: STRANGER },
          { predicateType: PROVENANCE, predicate: { level: 3 } },
        ),
      ],
      'att',
    );
    const cel = ['predicate.level > 2.0'];
    const attestations = [{ predicateType: PROVENANCE, keys: ['cosign.pub'], cel }];
    const called = await check(image, { attestations });
    expect(called.code).toBe(EXIT.ok);
    const where = (layer: number): string => `envelope in tag sha256-....att, layer ${layer}`;
    const who = 'by cosign.pub (key SHA-256 ...)';
    expect(explanationIn(called)).toEqual([
      `for an attestation (${PROVENANCE}) by cosign.pub: found`,
      `  not counted  ${where(1)}, ${PROVENANCE}: ${who}: predicate.level > 2.0: is not true`,
      `  counts       ${where(2)}, ${PROVENANCE}: ${who}`,
      `  not counted  ${where(3)}, https://example.com/evil\\u{1b}[2J\\u{202e}: ${who}: of another type`,
      `  not counted  ${where(4)}: by no trusted key`,
    ]);
  });
});

describe('check --verify -o json', () => {
  it('tells programs the same', async () => {
    const { digest, image } = await disputedImage('json');
    const { stdout } = await check(image, BY_KEY, '-o', 'json');
    const tag = `${digest.replace(':', '-')}.sig`;
    const signers = [{ name: 'cosign.pub', keySha256: KEY.trusted.id }];
    const { images } = JSON.parse(stdout) as { images: { rules: object[] }[] };
    expect(images[0]?.rules[0]).toEqual({
      rule: 'signed-by-us',
      mode: 'enforce',
      result: 'pass',
      violations: [],
      digest,
      signatures: [
        {
          expected: 'a signature by cosign.pub',
          found: [
            {
              counts: false,
              why: 'by no trusted key',
              signers: [],
              form: 'simple signing',
              place: `${tag}, layer 1`,
              way: 'tag',
            },
            {
              counts: false,
              why: 'for another repository',
              signers,
              form: 'simple signing',
              place: `${tag}, layer 2`,
              way: 'tag',
            },
            {
              counts: true,
              why: null,
              signers,
              form: 'bundle',
              place: expect.stringMatching(/^sha256:[0-9a-f]{64}, layer 1$/) as unknown,
              way: 'fallback tag',
            },
          ],
          failures: [],
        },
      ],
    });
  });

  it('tells of nothing where nobody was asked', async () => {
    const { stdout } = await check('a.com/x:beta', { ...BY_KEY, digest: true }, '-o', 'json');
    const { images } = JSON.parse(stdout) as { images: { rules: object[] }[] };
    expect(images[0]?.rules[0]).not.toHaveProperty('signatures');
  });
});

describe('docs/signatures.md', () => {
  it('shows what check --verify prints', async () => {
    const page = readFileSync(new URL('../../docs/signatures.md', import.meta.url), 'utf8');
    const [, shown] = /```text\n(registry[^`]*)```/.exec(page) ?? [];
    const { image } = await disputedImage('shown');
    const { stdout } = await check(image, BY_KEY);
    const printed = stdout
      .replaceAll(server.host, 'registry.example.com')
      .replaceAll(/[0-9a-f]{64}/g, '...')
      .replaceAll(/@[0-9a-f]{6,}/g, '@...');
    expect(printed).toBe(shown);
  });
});
